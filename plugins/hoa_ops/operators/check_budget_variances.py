"""The job that compares budgets with the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hoa_ops.delivery.message import MessageKind
from hoa_ops.engine.report import total
from hoa_ops.jobs.run_request import BudgetVarianceRequest
from hoa_ops.jobs.schedule import Job
from hoa_ops.operators.tenant_job import TenantJobOperator

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hoa_ops.engine.report import Row


class CheckBudgetVariancesOperator(TenantJobOperator):
    """Alert treasurer and board to budget lines that have run away.

    See :class:`~hoa_ops.operators.tenant_job.TenantJobOperator` for the arguments and ``check_budget_variances/plan.sql`` for the
    rules.
    """

    job = Job.CHECK_BUDGET_VARIANCES
    request_model = BudgetVarianceRequest
    message_kind = MessageKind(
        name="budget_variance",
        folder="check_budget_variances",
        subject="Budget Alert - {budget_name}",
        sender="{tenant_name} System",
    )

    @classmethod
    def plan_parameters(cls, request: BudgetVarianceRequest) -> Mapping[str, Any]:  # type: ignore[override]
        """Return the thresholds and the one budget to check, if the run is narrowed to one."""
        return {
            "budget_id": request.budget_id,
            "warning_threshold": request.warning_threshold,
            "critical_threshold": request.critical_threshold,
        }

    def totals(self, items: Sequence[Row]) -> Mapping[str, Any]:
        """Return the sum of the variances alerted, in dollars."""
        return {"unfavorable": total(items, "unfavorable")}
