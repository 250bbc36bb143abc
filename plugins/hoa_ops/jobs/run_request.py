"""What a run was asked to do: the params of each DAG, typed and bounded once, for the form and for the check.

The pydantic models below are the only definition of the params. :func:`dag_params` turns a model into the Airflow
``Param`` objects of the trigger form; :meth:`RunRequest.read` reads a task's params back through the same
model, so that what the form refuses is refused from the command line as well.
"""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self
from uuid import UUID

from airflow.providers.common.compat.sdk import Param
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from hoa_ops.errors import RequestError
from hoa_ops.jobs.schedule import Job, moment_of
from hoa_ops.settings import get_settings

if TYPE_CHECKING:
    from collections.abc import Mapping

DRAWN_BY_THE_FORM = frozenset({"title", "type", "enum", "values_display"})
MONTH_PATTERN = r"^20\d{2}-(0[1-9]|1[0-2])$"


class RunRequest(BaseModel):
    """Params that every DAG has."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    jobs: ClassVar[tuple[Job, ...]]

    dry_run: bool = Field(
        default=False,
        title="Dry run",
        description="Show what would be posted and sent; change nothing. The database itself refuses writes.",
    )
    tenant: str | None = Field(
        default=None,
        title="Association",
        description="Work on this association only: its code, such as sunset-ridge (the page HOA history lists them), "
        "or its id. Empty: all active ones.",
        min_length=1,
        max_length=100,
    )
    as_of: date | None = Field(
        default=None,
        title="As of",
        description="Work as if it were this day, such as 2025-10-29. Empty: the date of the run. "
        "A day after the run's date can only be looked at with a dry run.",
    )

    @field_validator("as_of", mode="before")
    @classmethod
    def _is_a_day(cls, day: object) -> object:
        # A number, or a text of digits, would be taken for seconds since 1970.
        if isinstance(day, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", day):
            with suppress(ValueError):
                return date.fromisoformat(day)
        if day is None or type(day) is date:
            return day
        raise ValueError("write the day as YYYY-MM-DD, such as 2025-10-29")

    @classmethod
    def read(cls, params: Mapping[str, Any]) -> Self:
        """Validate params.

        :raises RequestError: one sentence per wrong param, saying what to change.
        """
        try:
            return cls(**params)
        except ValidationError as error:
            raise RequestError(_in_sentences(error)) from None

    @property
    def narrowed(self) -> bool:
        """Whether the run leaves out associations on request, so that it proves nothing about the others."""
        return self.tenant is not None

    @classmethod
    def job_of_param(cls, name: str) -> Job | None:  # noqa: ARG003
        """Return the one job of the DAG that a param is for; nothing where it is for all of them."""
        return None

    def check_date(self, today: date) -> None:
        """Refuse a live run that is ahead of its time.

        :param today: the date of the run.
        :raises RequestError: saying what to choose instead.
        """
        if self.as_of is not None and self.as_of > today and not self.dry_run:
            raise RequestError(
                f"as_of {self.as_of} lies after the run's date {today}: choose an earlier day, "
                f"or set dry_run to look ahead"
            )

    @property
    def options(self) -> dict[str, Any]:
        """The params that differ from the defaults, as the run ledger records them."""
        return self.model_dump(mode="json", exclude_defaults=True, exclude={"dry_run"})


class EscalationRequest(RunRequest):
    """Params of ``hoa_violation_escalation``."""

    jobs = (Job.ESCALATE_VIOLATIONS,)

    days_grace: int = Field(
        default=0,
        title="Grace days",
        description="Days after the cure deadline before a violation is escalated. 0 and 1 both mean: the day after.",
        ge=0,
        le=365,
    )


class BudgetVarianceRequest(RunRequest):
    """Params of ``hoa_budget_variance``."""

    jobs = (Job.CHECK_BUDGET_VARIANCES,)

    budget_id: UUID | None = Field(
        default=None,
        title="Budget",
        description="Check only the budget with this id (column id of the table budgets). Empty: all active budgets.",
    )
    warning_threshold: float = Field(
        default=20.0,
        title="Warning threshold (%)",
        description="An unfavorable variance of this many percent of the budget is a warning, "
        "unless the budget or the line has its own threshold.",
        ge=0,
        le=1000,
    )
    critical_threshold: float = Field(
        default=30.0,
        title="Critical threshold (%)",
        description="From this many percent on it is critical. Must not be below the warning threshold.",
        ge=0,
        le=1000,
    )
    list_favorable: bool = Field(
        default=False,
        title="List favorable variances",
        description="Also list, in the report only, the lines that are better than budgeted.",
    )

    @model_validator(mode="after")
    def _critical_is_not_below_warning(self) -> Self:
        if self.critical_threshold < self.warning_threshold:
            raise ValueError(
                f"critical_threshold ({self.critical_threshold:g}) is below warning_threshold "
                f"({self.warning_threshold:g}): raise the one or lower the other"
            )
        return self

    @property
    def narrowed(self) -> bool:
        """See :attr:`RunRequest.narrowed`; a single budget narrows as well."""
        return super().narrowed or self.budget_id is not None


class BillingRequest(RunRequest):
    """Params of ``hoa_monthly_billing``."""

    jobs = (Job.GENERATE_INVOICES, Job.ASSESS_LATE_FEES, Job.SEND_REMINDERS)

    job: Literal["generate_invoices", "assess_late_fees", "send_reminders"] | None = Field(
        default=None,
        title="Job",
        description="Do one job only, whether it is due or not; otherwise those that are due and not yet done.",
        json_schema_extra={
            "values_display": {
                Job.GENERATE_INVOICES: "Generate invoices",
                Job.ASSESS_LATE_FEES: "Assess late fees",
                Job.SEND_REMINDERS: "Send payment reminders",
                "null": "Those that are due",
            }
        },
    )
    billing_month: str | None = Field(
        default=None,
        title="Billing month",
        description="Invoice this month, such as 2025-11, and no other. Empty: the month of the run, "
        "and the months before it that an outage left unbilled.",
        json_schema_extra={"pattern": MONTH_PATTERN},
    )
    days_grace: int | None = Field(
        default=None,
        title="Grace days for late fees",
        description="Days after the due date before a late fee is charged. 0 and 1 both mean: the day after. "
        "Empty: as set by each association's rule.",
        ge=0,
        le=365,
    )

    @field_validator("billing_month")
    @classmethod
    def _is_a_month(cls, month: str | None) -> str | None:
        if month is not None and not re.fullmatch(MONTH_PATTERN, month):
            raise ValueError("write the month as YYYY-MM, such as 2025-11")
        return month

    @model_validator(mode="after")
    def _params_belong_to_the_job(self) -> Self:
        for name, job in _JOB_OF_PARAM.items():
            if getattr(self, name) is not None and self.only_job != job:
                raise ValueError(f"{name} is a param of {job}, but {self.only_job} was asked for: leave one out")
        return self

    @classmethod
    def job_of_param(cls, name: str) -> Job | None:
        """See :meth:`RunRequest.job_of_param`."""
        return _JOB_OF_PARAM.get(name)

    def check_date(self, today: date) -> None:
        """See :meth:`RunRequest.check_date`; the same holds for the billing month."""
        super().check_date(today)
        today = self.as_of or today
        if self.billing_period is not None and self.billing_period > today and not self.dry_run:
            raise RequestError(
                f"billing_month {self.billing_month} has not begun on {today}: choose an earlier month, "
                f"or set dry_run to look ahead"
            )

    @property
    def only_job(self) -> Job | None:
        """The one job that was asked for, by name or by a param that only this job has."""
        implied = (job for name, job in _JOB_OF_PARAM.items() if getattr(self, name) is not None)
        return next(implied, None) if self.job is None else Job(self.job)

    @property
    def billing_period(self) -> date | None:
        """First day of the billing month, if one was asked for."""
        return None if self.billing_month is None else date.fromisoformat(f"{self.billing_month}-01")

    @property
    def narrowed(self) -> bool:
        """See :attr:`RunRequest.narrowed`; a single month says nothing about the others."""
        return super().narrowed or self.billing_month is not None


_JOB_OF_PARAM = {"billing_month": Job.GENERATE_INVOICES, "days_grace": Job.ASSESS_LATE_FEES}


class RunDate(BaseModel):
    """The moment a run stands for, in the deployment's time zone; its date is the run's “today”."""

    model_config = ConfigDict(frozen=True)

    moment: datetime

    @property
    def as_of(self) -> date:
        """The day from which days overdue, periods and deadlines are counted."""
        return self.moment.date()

    @classmethod
    def of(cls, request: RunRequest, dag_run: Any, *, job: Job) -> Self:
        """Derive it from the request and the DAG run, never from the clock.

        :param job: whose scheduled time of day an ``as_of`` day is given.
        :param dag_run: Airflow's DAG run; a manual run may have no logical date, then its ``run_after`` counts.
        :raises RequestError: when a live run is asked for a day, or a month, after the run's own date.
        """
        zone = get_settings().zone
        moment = (dag_run.logical_date or dag_run.run_after).astimezone(zone)
        request.check_date(moment.date())
        return cls(moment=moment if request.as_of is None else moment_of(job, request.as_of, zone))


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
        rules = {rule: schema.pop(rule) for rule in list(schema) if rule not in DRAWN_BY_THE_FORM}
        if rules:
            schema["allOf"] = [rules]
        if "maximum" in rules:
            description += f" Allowed: {rules['minimum']} to {rules['maximum']}."
        params[name] = Param(default, description, **schema)
    return params


def _in_sentences(error: ValidationError) -> str:
    faults = []
    for fault in error.errors(include_url=False):
        name = ".".join(str(part) for part in fault["loc"])
        if fault["type"] == "extra_forbidden":
            faults.append(f"there is no param {name}: correct its name or leave it out")
        elif name:
            faults.append(f"{name}: {fault['msg'].removeprefix('Value error, ')} (got {fault['input']!r})")
        else:
            faults.append(fault["msg"].removeprefix("Value error, "))
    return "; ".join(faults)
