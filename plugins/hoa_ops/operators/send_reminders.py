"""The job that reminds owners of what is overdue."""

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


class SendRemindersOperator(BillingJobOperator):
    """Remind owners of what is overdue: one message each, with the list of their invoices.

    See :class:`~hoa_ops.operators.tenant_job.TenantJobOperator` for the arguments and ``send_reminders/plan.sql`` for the
    rules. It takes no ``lock_sql``: whoever pays once the reminder is queued is spared by ``send_reminders/still_due.sql``.
    """

    job = Job.SEND_REMINDERS
    message_kind = MessageKind(
        name="payment_reminder",
        folder="send_reminders",
        subject="{headline} - {tenant_name}",
        sender="{tenant_name} Management",
    )

    @classmethod
    def plan_parameters(cls, request: BillingRequest) -> Mapping[str, Any]:  # type: ignore[override]  # noqa: ARG003
        """Return nothing: who is reminded depends on the association's settings alone."""
        return {}

    def totals(self, items: Sequence[Row]) -> Mapping[str, Any]:
        """Return what the reminded owners owe, in dollars."""
        return {"reminded_of": total(items, "total_due")}
