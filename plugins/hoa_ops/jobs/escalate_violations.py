"""Violation escalation: takes overdue violations one step further, with fine and notice."""

from __future__ import annotations

from pydantic import Field

from hoa_ops.jobs.definition import Job, Total
from hoa_ops.jobs.message_kind import MessageKind
from hoa_ops.jobs.run_request import RunRequest


class EscalationRequest(RunRequest):
    """Params of ``hoa_violation_escalation``."""

    days_grace: int = Field(
        default=0,
        title="Grace days",
        description="Days after the cure deadline before a violation is escalated. 0 and 1 both mean the day after.",
        ge=0,
        le=365,
    )


ESCALATE_VIOLATIONS = Job(
    name="escalate_violations",
    title="Violation escalation",
    dag_id="hoa_violation_escalation",
    cron="0 6 * * *",
    request=EscalationRequest,
    parameters=("days_grace",),
    locks=True,
    totals=(Total("fines", ("fine",)),),
    key=("unit_number", "violation_number", "step"),
    amount="fine",
    message_kind=MessageKind(
        name="violation_escalation",
        subject="Violation Escalated - {violation_type}",
        sender="{tenant_name} Management",
    ),
)
