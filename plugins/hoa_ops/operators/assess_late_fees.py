"""The job that charges late fees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hoa_ops.delivery.message import MessageKind
from hoa_ops.engine.report import total
from hoa_ops.jobs.schedule import Job
from hoa_ops.operators.billing_job import BillingJobOperator

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hoa_ops.engine.report import Row
    from hoa_ops.jobs.run_request import BillingRequest


class AssessLateFeesOperator(BillingJobOperator):
    """Charge late fees on overdue assessments: post an invoice per fee, write to the owners.

    See :class:`~hoa_ops.operators.tenant_job.TenantJobOperator` for the arguments and ``assess_late_fees/plan.sql`` for the
    rules. It takes no ``lock_sql``: a payment changes no row that a fee is posted to, it counts if it was committed
    before the posting began, and else it finds the fee there.
    """

    job = Job.ASSESS_LATE_FEES
    message_kind = MessageKind(
        name="late_fee",
        folder="assess_late_fees",
        subject="Late Fee Notice - Unit {unit_number}",
        sender="{tenant_name} Management",
    )

    @classmethod
    def plan_parameters(cls, request: BillingRequest) -> Mapping[str, Any]:  # type: ignore[override]
        """Return the grace days, if the run has its own."""
        return {"days_grace": request.days_grace}

    def totals(self, items: Sequence[Row]) -> Mapping[str, Any]:
        """Return the fees charged, in dollars."""
        return {"late_fees": total(items, "late_fee")}
