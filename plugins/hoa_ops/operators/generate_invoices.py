"""The job that bills the monthly assessments."""

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


class GenerateInvoicesOperator(BillingJobOperator):
    """Bill the monthly assessments: post an invoice per owner and unit, apply what was paid ahead, send the invoices.

    See :class:`~hoa_ops.operators.tenant_job.TenantJobOperator` for the arguments and ``generate_invoices/plan.sql`` for the
    rules.
    """

    job = Job.GENERATE_INVOICES
    message_kind = MessageKind(
        name="assessment_invoice",
        folder="generate_invoices",
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
    )

    @classmethod
    def plan_parameters(cls, request: BillingRequest) -> Mapping[str, Any]:  # type: ignore[override]
        """Return the one month to bill, if the run is narrowed to one."""
        return {"billing_period": request.billing_period}

    def totals(self, items: Sequence[Row]) -> Mapping[str, Any]:
        """Return what was invoiced and how much credit was applied, to new invoices and earlier ones, in dollars."""
        return {
            "invoiced": total(items, "amount"),
            "credit_applied": total(items, "credit_applied") + total(items, "credit_to_earlier"),
        }
