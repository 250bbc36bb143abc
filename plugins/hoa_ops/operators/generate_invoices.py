"""The task that bills the month's assessments."""

from __future__ import annotations

from hoa_ops.jobs import GENERATE_INVOICES
from hoa_ops.operators.tenant_job import TenantJobOperator


class GenerateInvoicesOperator(TenantJobOperator):
    """Bill the month's assessments: an invoice per owner and unit, what was paid ahead applied to it.

    See :class:`~hoa_ops.operators.tenant_job.TenantJobOperator` for the arguments, and
    ``generate_invoices/plan.sql`` for the rules.
    """

    job = GENERATE_INVOICES
