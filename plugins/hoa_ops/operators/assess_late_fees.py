"""The task that charges late fees."""

from __future__ import annotations

from hoa_ops.jobs import ASSESS_LATE_FEES
from hoa_ops.operators.tenant_job import TenantJobOperator


class AssessLateFeesOperator(TenantJobOperator):
    """Charge late fees on overdue assessments.

    See :class:`~hoa_ops.operators.tenant_job.TenantJobOperator` for the arguments, and
    ``assess_late_fees/plan.sql`` for the rules.
    """

    job = ASSESS_LATE_FEES
