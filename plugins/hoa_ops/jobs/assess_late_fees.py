"""Late fees: charges them on overdue assessments.

It takes no lock: a payment changes no row that a fee is posted to. It counts if it was committed before the posting
began; if not, it finds the fee there.
"""

from __future__ import annotations

from hoa_ops.jobs.billing import BILLING_DAG, BillingRequest
from hoa_ops.jobs.definition import Job, Total
from hoa_ops.jobs.message_kind import MessageKind

ASSESS_LATE_FEES = Job(
    name="assess_late_fees",
    title="Late fees",
    dag_id=BILLING_DAG,
    cron="0 3 6 * *",
    request=BillingRequest,
    parameters=("days_grace",),
    totals=(Total("late_fees", ("late_fee",)),),
    key=("unit_number", "invoice_number"),
    amount="late_fee",
    message_kind=MessageKind(
        name="late_fee",
        subject="Late Fee Notice - Unit {unit_number}",
        sender="{tenant_name} Management",
    ),
)
