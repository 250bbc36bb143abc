"""Budget variances: alerts treasurer and board to lines that are over budget."""

from __future__ import annotations

from typing import Self
from uuid import UUID

from pydantic import Field, model_validator

from hoa_ops.jobs.definition import Job, Total
from hoa_ops.jobs.message_kind import MessageKind
from hoa_ops.jobs.run_request import RunRequest


class BudgetVarianceRequest(RunRequest):
    """Params of ``hoa_budget_variance``."""

    budget_id: UUID | None = Field(
        default=None,
        title="Budget",
        description="Only the budget with this id (column id of table budgets). Leave empty for all active budgets.",
    )
    warning_threshold: float = Field(
        default=20.0,
        title="Warning threshold (%)",
        description="An unfavorable variance of at least this percentage of the budget is a warning, "
        "unless the budget or the line sets its own threshold.",
        ge=0,
        le=1000,
    )
    critical_threshold: float = Field(
        default=30.0,
        title="Critical threshold (%)",
        description="At or above this percentage it is critical. Must not be below the warning threshold.",
        ge=0,
        le=1000,
    )
    list_favorable: bool = Field(
        default=False,
        title="List favorable variances",
        description="Also list favorable variances in the report. They never alert anyone.",
    )

    @model_validator(mode="after")
    def _critical_is_not_below_warning(self) -> Self:
        if self.critical_threshold < self.warning_threshold:
            raise ValueError(
                f"critical_threshold ({self.critical_threshold:g}) is below warning_threshold "
                f"({self.warning_threshold:g}): raise one or lower the other"
            )
        return self

    @property
    def narrowed(self) -> bool:
        """See :attr:`RunRequest.narrowed`; a single budget narrows as well."""
        return super().narrowed or self.budget_id is not None


CHECK_BUDGET_VARIANCES = Job(
    name="check_budget_variances",
    title="Budget variances",
    dag_id="hoa_budget_variance",
    cron="0 9 * * 1",
    request=BudgetVarianceRequest,
    parameters=("budget_id", "warning_threshold", "critical_threshold"),
    totals=(Total("unfavorable", ("unfavorable",)),),
    key=("budget_id", "budget_name", "account_number", "severity"),
    amount="variance",
    message_kind=MessageKind(
        name="budget_variance",
        subject="Budget Alert - {budget_name}",
        sender="{tenant_name} System",
    ),
)
