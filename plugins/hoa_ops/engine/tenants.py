"""Which associations a run works on, and whether what it was asked to do exists at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hoa_ops.database import statement
from hoa_ops.errors import RequestError
from hoa_ops.jobs.check_budget_variances import BudgetVarianceRequest

if TYPE_CHECKING:
    from uuid import UUID

    from hoa_ops.database import Cursor
    from hoa_ops.jobs.run_request import RunRequest


@dataclass(frozen=True)
class Tenant:
    """An association in the scope of a run."""

    tenant_id: UUID
    code: str
    name: str


def tenants_in_scope(cursor: Cursor, request: RunRequest, *, shard: int = 0, shards: int = 1) -> list[Tenant]:
    """Return the associations that a run, or its shard, works on, by name.

    :param shard: which part of them, counted from 0; a run narrowed to one association is done by shard 0.
    :raises RequestError: when the run was narrowed to an association or budget that cannot be worked on.
    """
    rows = cursor.rows(
        statement("engine/find_tenants.sql"), {"tenant": request.tenant, "shard": shard, "shards": shards}
    )
    if request.tenant is not None:
        if not rows:
            raise RequestError(f"tenant: there is no association with the code or id {request.tenant!r}")
        status = rows[0]["status"]
        if status != "active":
            raise RequestError(f"tenant: {request.tenant!r} is {status}; only active associations are worked on")
        rows = rows if shard == 0 else []
    if isinstance(request, BudgetVarianceRequest) and request.budget_id is not None:
        budget_tenant_id = _tenant_of_budget(cursor, request)
        rows = [row for row in rows if row["tenant_id"] == budget_tenant_id]
    return [Tenant(row["tenant_id"], row["code"], row["name"]) for row in rows]


def _tenant_of_budget(cursor: Cursor, request: BudgetVarianceRequest) -> UUID:
    budget = cursor.row(statement("check_budget_variances/find_budget.sql"), {"budget_id": request.budget_id})
    if budget is None:
        raise RequestError(f"budget_id: there is no budget {request.budget_id}")
    if budget["budget_status"] != "active":
        raise RequestError(
            f"budget_id: budget {request.budget_id} is {budget['budget_status']}; only active budgets are checked"
        )
    if request.tenant is not None and request.tenant.lower() not in {budget["code"], str(budget["tenant_id"])}:
        raise RequestError(f"budget_id: budget {request.budget_id} is not of association {request.tenant!r}")
    if budget["tenant_status"] != "active":
        raise RequestError(
            f"budget_id: budget {request.budget_id} is of {budget['code']!r}, which is {budget['tenant_status']}; "
            f"only active associations are worked on"
        )
    tenant_id: UUID = budget["tenant_id"]
    return tenant_id
