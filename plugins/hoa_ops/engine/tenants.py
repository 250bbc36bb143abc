"""Which associations a run works on, and whether what it was asked to do exists at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hoa_ops.associations import Tenant, active_associations, find_association
from hoa_ops.database import query
from hoa_ops.errors import RequestError
from hoa_ops.jobs.check_budget_variances import BudgetVarianceRequest

__all__ = ["Tenant", "tenants_in_scope"]

if TYPE_CHECKING:
    from uuid import UUID

    from hoa_ops.database import Cursor
    from hoa_ops.jobs.run_request import RunRequest


def tenants_in_scope(cursor: Cursor, request: RunRequest, *, shard: int = 0, shards: int = 1) -> list[Tenant]:
    """Return the associations that a run, or its shard, works on, by name.

    :param shard: which part of them, counted from 0; a run narrowed to one association is done by shard 0.
    :raises RequestError: when the run was narrowed to an association or budget that cannot be worked on.
    """
    chosen = None if request.tenant is None else _active_association(cursor, request.tenant)
    if chosen is None:
        tenants = active_associations(cursor, shard=shard, shards=shards)
    else:
        tenants = [chosen] if shard == 0 else []
    if isinstance(request, BudgetVarianceRequest) and request.budget_id is not None:
        tenant_id = _tenant_of_budget(cursor, request.budget_id)
        if chosen is not None and chosen.tenant_id != tenant_id:
            raise RequestError(
                f"budget_id: budget {request.budget_id} does not belong to the association {request.tenant!r}"
            )
        tenants = [tenant for tenant in tenants if tenant.tenant_id == tenant_id]
    return tenants


def _active_association(cursor: Cursor, wanted: str) -> Tenant:
    tenant = find_association(cursor, wanted)
    if tenant.status != "active":
        raise RequestError(
            f"tenant: the association {wanted!r} is {tenant.status}; only active associations are worked on"
        )
    return tenant


def _tenant_of_budget(cursor: Cursor, budget_id: UUID) -> UUID:
    budget = cursor.row(query("check_budget_variances/find_budget.sql"), {"budget_id": budget_id})
    if budget is None:
        raise RequestError(f"budget_id: there is no budget {budget_id}")
    if budget["budget_status"] != "active":
        raise RequestError(
            f"budget_id: budget {budget_id} is {budget['budget_status']}; only active budgets are checked"
        )
    if budget["tenant_status"] != "active":
        raise RequestError(
            f"budget_id: budget {budget_id} belongs to an association that is {budget['tenant_status']}; "
            f"only active associations are worked on"
        )
    tenant_id: UUID = budget["tenant_id"]
    return tenant_id
