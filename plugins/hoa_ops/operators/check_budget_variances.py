"""The task that compares budgets with the ledger."""

from __future__ import annotations

from hoa_ops.jobs import CHECK_BUDGET_VARIANCES
from hoa_ops.operators.tenant_job import TenantJobOperator


class CheckBudgetVariancesOperator(TenantJobOperator):
    """Alert treasurer and board to budget lines that are over budget.

    See :class:`~hoa_ops.operators.tenant_job.TenantJobOperator` for the arguments, and
    ``check_budget_variances/plan.sql`` for the rules.
    """

    job = CHECK_BUDGET_VARIANCES
