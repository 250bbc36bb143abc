"""The task that reminds owners of what is overdue."""

from __future__ import annotations

from hoa_ops.jobs import SEND_REMINDERS
from hoa_ops.operators.tenant_job import TenantJobOperator


class SendRemindersOperator(TenantJobOperator):
    """Remind owners of what is overdue.

    See :class:`~hoa_ops.operators.tenant_job.TenantJobOperator` for the arguments, and
    ``send_reminders/plan.sql`` for the rules.
    """

    job = SEND_REMINDERS
