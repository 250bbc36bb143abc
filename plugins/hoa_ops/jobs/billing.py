"""What the three billing jobs have in common: one DAG carries them, with one set of params."""

from __future__ import annotations

import re
from datetime import date
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from hoa_ops.errors import RequestError
from hoa_ops.jobs.run_request import RunRequest

BILLING_DAG = "hoa_monthly_billing"
MONTH_PATTERN = r"^20[0-9]{2}-(0[1-9]|1[0-2])$"
JOB_OF_PARAM = {"billing_month": "generate_invoices", "days_grace": "assess_late_fees"}
"""The params that only one of the jobs has."""


class BillingRequest(RunRequest):
    """Params of ``hoa_monthly_billing``."""

    job: Literal["generate_invoices", "assess_late_fees", "send_reminders"] | None = Field(
        default=None,
        title="Job",
        description="Run only this job, whether or not it is due. "
        "Leave empty for every job that is due and not yet done.",
    )
    billing_month: str | None = Field(
        default=None,
        title="Billing month",
        description="Invoice only this month, such as 2025-11. Leave empty for the month of the run "
        "and any earlier months that an outage left unbilled.",
        json_schema_extra={"pattern": MONTH_PATTERN},
    )
    days_grace: int | None = Field(
        default=None,
        title="Grace days for late fees",
        description="Days after the due date before a late fee is charged. 0 and 1 both mean the day after. "
        "Leave empty to go by each association's late-fee rule.",
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
        for name, job in JOB_OF_PARAM.items():
            if getattr(self, name) is not None and self.only_job != job:
                raise ValueError(
                    f"{name} is a param of {job}, but the run is for {self.only_job}: remove one of the two"
                )
        return self

    @classmethod
    def job_of_param(cls, name: str) -> str | None:
        """See :meth:`RunRequest.job_of_param`."""
        return JOB_OF_PARAM.get(name)

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
    def only_job(self) -> str | None:
        """The one job that was asked for, by name or by a param that only this job has."""
        implied = (job for name, job in JOB_OF_PARAM.items() if getattr(self, name) is not None)
        return self.job or next(implied, None)

    @property
    def billing_period(self) -> date | None:
        """First day of the billing month, if one was asked for."""
        return None if self.billing_month is None else date.fromisoformat(f"{self.billing_month}-01")

    @property
    def narrowed(self) -> bool:
        """See :attr:`RunRequest.narrowed`; a single month says nothing about the others."""
        return super().narrowed or self.billing_month is not None
