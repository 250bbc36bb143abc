"""The emergency switch: jobs that must not run live for now, whatever is scheduled or due."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from typing import Any

from hoa_ops.connections import variable
from hoa_ops.errors import RequestError
from hoa_ops.jobs import JOBS

SWITCHED_OFF_VARIABLE = "hoa_ops_switched_off"
"""Airflow Variable with the names of the jobs, as text or as a list."""


def switched_off_jobs() -> set[str]:
    """Return the names of the jobs that are switched off.

    :raises RequestError: when the Variable names what is no job. A switch that nobody understands must stop the run.
    """
    names = {name.lower() for name in _names(variable(SWITCHED_OFF_VARIABLE))}
    unknown = names - {job.name for job in JOBS}
    if unknown:
        raise RequestError(
            f"the Airflow Variable {SWITCHED_OFF_VARIABLE} names {', '.join(map(repr, sorted(unknown)))}, "
            f"which is not a job: the jobs are {', '.join(map(str, JOBS))}"
        )
    return names


def _names(value: Any) -> list[str]:
    if isinstance(value, str):
        # The Variables API stores a list as JSON text.
        with suppress(ValueError):
            value = json.loads(value)
    if value is None:
        return []
    if isinstance(value, list):
        return [str(name).strip() for name in value]
    return re.split(r"[\s,;]+", str(value).strip()) if str(value).strip() else []
