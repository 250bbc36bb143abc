"""The trigger form of a DAG, made from the params that its jobs share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.providers.common.compat.sdk import Param

from hoa_ops.jobs import JOBS

if TYPE_CHECKING:
    from hoa_ops.jobs.run_request import RunRequest

DRAWN_BY_THE_FORM = frozenset({"title", "type", "enum", "values_display"})


def dag_params(model: type[RunRequest]) -> dict[str, Param]:
    """Return the Airflow params of a request model: titles, descriptions, bounds and defaults of its fields.

    Where the trigger form knows a rule, it does not refuse a wrong value but runs with another: a number out of bounds
    becomes the nearest bound, a day that does not exist (June 31) becomes no day. So the rules go below ``allOf``: the
    form does not look there, but Airflow's server does and refuses the run. The bounds are told in the description.
    """
    params = {}
    for name, schema in model.model_json_schema(mode="validation")["properties"].items():
        default, description = schema.pop("default", None), schema.pop("description")
        alternatives = schema.pop("anyOf", [])
        if alternatives:
            # The trigger form knows `type: [string, null]` for an optional field, but not `anyOf`.
            present = next(alternative for alternative in alternatives if alternative["type"] != "null")
            schema.update(present, type=[present["type"], "null"])
            if "enum" in schema:
                schema["enum"] = [*schema["enum"], None]
        if name == "job":
            titles = {job.name: job.title for job in JOBS if job.request is model}
            schema["values_display"] = titles | {"null": "Every job that is due"}
        rules = {rule: schema.pop(rule) for rule in list(schema) if rule not in DRAWN_BY_THE_FORM}
        if rules:
            schema["allOf"] = [rules]
        if "maximum" in rules:
            description += f" Allowed: {rules['minimum']} to {rules['maximum']}."
        params[name] = Param(default, description, **schema)
    return params
