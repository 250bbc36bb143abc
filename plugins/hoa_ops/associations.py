"""Which association is meant: the one place that reads the code, id or name that people and programs give."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hoa_ops.database import query
from hoa_ops.errors import RequestError
from hoa_ops.text import is_storable

if TYPE_CHECKING:
    from uuid import UUID

    from hoa_ops.database import Cursor


@dataclass(frozen=True)
class Tenant:
    """An association.

    :param status: ``active``, or why the jobs leave it out.
    """

    tenant_id: UUID
    code: str
    name: str
    status: str


def find_association(cursor: Cursor, wanted: str) -> Tenant:
    """Return the association that has a code, id or name, whatever its status.

    Case does not matter, nor do spaces around it. A name must be whole, and must be that of one association only.

    :raises RequestError: when there is none such, or several have that name.
    """
    rows = cursor.rows(query("associations/find.sql"), {"wanted": wanted.strip()}) if is_storable(wanted) else []
    # A code or id goes before another association's name.
    found = [_tenant(row) for row in rows if row["is_key"]] or [_tenant(row) for row in rows]
    if not found:
        raise RequestError(
            f"no association has the code, id or name {wanted!r}: "
            "the page HOA history and the table tenants list them all"
        )
    if len(found) > 1:
        # Alerts take the first line only, and name no association.
        codes = ", ".join(tenant.code for tenant in found)
        raise RequestError(
            f"{len(found)} associations have the name {wanted!r}: use the code of one of them\n({codes})"
        )
    return found[0]


def active_associations(cursor: Cursor, *, shard: int = 0, shards: int = 1) -> list[Tenant]:
    """Return the associations that the jobs work on, by name, or one part of them.

    :param shard: which part, counted from 0.
    :param shards: into how many parts they are divided.
    """
    rows = cursor.rows(query("associations/active.sql"), {"shard": shard, "shards": shards})
    return [_tenant(row) for row in rows]


def _tenant(row: dict[str, Any]) -> Tenant:
    return Tenant(row["tenant_id"], row["code"], row["name"], row["status"])
