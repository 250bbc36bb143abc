"""The task that takes overdue violations one step further."""

from __future__ import annotations

from hoa_ops.jobs import ESCALATE_VIOLATIONS
from hoa_ops.operators.tenant_job import TenantJobOperator


class EscalateViolationsOperator(TenantJobOperator):
    """Escalate overdue violations: record the step, post the fine, notify the owners.

    See :class:`~hoa_ops.operators.tenant_job.TenantJobOperator` for the arguments, and
    ``escalate_violations/plan.sql`` for the rules.
    """

    job = ESCALATE_VIOLATIONS
