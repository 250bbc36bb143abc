"""Payment reminders: one message per owner who is behind, with the list of what is overdue.

It takes no lock: whoever pays once the reminder is queued is spared by ``send_reminders/still_due.sql``.
"""

from __future__ import annotations

from hoa_ops.jobs.billing import BILLING_DAG, BillingRequest
from hoa_ops.jobs.definition import Job, Total
from hoa_ops.jobs.message_kind import MessageKind

SEND_REMINDERS = Job(
    name="send_reminders",
    title="Payment reminders",
    dag_id=BILLING_DAG,
    cron="0 8 * * 1",
    request=BillingRequest,
    totals=(Total("reminded_of", ("total_due",)),),
    key=("unit_numbers", "owner_id"),
    amount="total_due",
    message_kind=MessageKind(
        name="payment_reminder",
        subject="{headline} - {tenant_name}",
        sender="{tenant_name} Management",
        still_due_sql="send_reminders/still_due.sql",
        replaces_earlier=True,
    ),
)
