"""The job that takes overdue violations one step further."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hoa_ops.delivery.message import MessageKind
from hoa_ops.engine.report import total
from hoa_ops.jobs.run_request import EscalationRequest
from hoa_ops.jobs.schedule import Job
from hoa_ops.operators.tenant_job import TenantJobOperator

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hoa_ops.engine.report import Row


class EscalateViolationsOperator(TenantJobOperator):
    """Escalate overdue violations: record the step, post the fine, write to the owners.

    See :class:`~hoa_ops.operators.tenant_job.TenantJobOperator` for the arguments and ``escalate_violations/plan.sql`` for the
    rules.
    """

    job = Job.ESCALATE_VIOLATIONS
    request_model = EscalationRequest
    message_kind = MessageKind(
        name="violation_escalation",
        folder="escalate_violations",
        subject="Violation Escalated - {violation_type}",
        sender="{tenant_name} Management",
    )

    @classmethod
    def plan_parameters(cls, request: EscalationRequest) -> Mapping[str, Any]:  # type: ignore[override]
        """Return the grace days."""
        return {"days_grace": request.days_grace}

    def totals(self, items: Sequence[Row]) -> Mapping[str, Any]:
        """Return the fines posted, in dollars."""
        return {"fines": total(items, "fine")}
