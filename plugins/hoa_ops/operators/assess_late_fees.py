"""The job that charges late fees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hoa_ops.operators.billing_job import BillingJobOperator
from hoa_ops.outbox.message import MessageKind
from hoa_ops.report import total
from hoa_ops.schedules import Job

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hoa_ops.report import Row
    from hoa_ops.run_request import BillingRequest


class AssessLateFeesOperator(BillingJobOperator):
    """Charge late fees on overdue assessments: post an invoice per fee, write to the owners.

    See :class:`~hoa_ops.operators.tenant_job.TenantJobOperator` for the arguments and ``late_fees/plan.sql`` for the
    rules. It takes no ``lock_sql``: a payment changes no row that a fee is posted to, it counts if it was committed
    before the posting began, and else it finds the fee there.
    """

    job = Job.ASSESS_LATE_FEES
    message_kind = MessageKind(
        name="late_fee",
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
