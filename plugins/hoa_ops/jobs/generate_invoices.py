"""Monthly invoices: bills the month's assessments, and applies what owners have paid ahead."""

from __future__ import annotations

from hoa_ops.jobs.billing import BILLING_DAG, BillingRequest
from hoa_ops.jobs.definition import Job, Total
from hoa_ops.jobs.message_kind import MessageKind

GENERATE_INVOICES = Job(
    name="generate_invoices",
    title="Monthly invoices",
    dag_id=BILLING_DAG,
    cron="0 2 1 * *",
    request=BillingRequest,
    parameters=("billing_period",),
    locks=True,
    totals=(Total("invoiced", ("amount",)), Total("credit_applied", ("credit_applied", "credit_to_earlier"))),
    key=("unit_number", "owner_id", "period"),
    amount="amount",
    message_kind=MessageKind(
        name="assessment_invoice",
        subject="Invoice {invoice_number} - {tenant_name}",
        sender="{tenant_name} Management",
        attachment=(
            "tenant_name",
            "recipient_name",
            "postal_address",
            "unit_number",
            "invoice_number",
            "invoice_date",
            "due_date",
            "lines",
            "amount",
            "credit_applied",
            "balance_due",
            "payment_instructions",
        ),
    ),
)
