"""Statements for bookkeepers and owners: an owner's account, and an association's receivables by age."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from hoa_ops.database import query
from hoa_ops.errors import RequestError
from hoa_ops.templates import render

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from uuid import UUID

    from hoa_ops.associations import Tenant
    from hoa_ops.database import Cursor, Row


@dataclass(frozen=True)
class Aging:
    """An association's open invoices at the end of a day, by days overdue, beside the general ledger.

    :param rows: one per unit and owner, in dollars: ``current``, ``days_1_30`` … ``over_90``, and ``total``.
    :param ledger_account: number of the ledger's accounts receivable.
    :param ledger_balance: balance of that account, in dollars.
    """

    as_of: date
    rows: Sequence[Row]
    ledger_account: str
    ledger_balance: Decimal

    @property
    def total(self) -> Decimal:
        """All that is open, in dollars."""
        return sum((row["total"] for row in self.rows), Decimal("0.00"))

    @property
    def difference(self) -> Decimal:
        """By how many dollars the open invoices exceed the ledger's receivables; anything but zero is a fault."""
        return self.total - self.ledger_balance


def receivables_aging(cursor: Cursor, tenant_id: UUID, *, as_of: date) -> Aging:
    """Age an association's open invoices as they were at the end of a day."""
    at = {"tenant_id": tenant_id, "as_of": as_of}
    rows = cursor.rows(query("books/aging.sql"), at)
    [ledger] = cursor.rows(query("books/control_accounts.sql"), at)
    return Aging(as_of, rows, ledger["receivables_account"], ledger["receivables"])


def aging_text(tenant: Tenant, aging: Aging) -> str:
    """Write an aging as a table, with the comparison to the general ledger."""
    return render("books/aging.txt", tenant_name=tenant.name, aging=aging)


def owner_statement(cursor: Cursor, tenant: Tenant, owner_id: UUID, *, as_of: date) -> str:
    """Write an owner's account up to the end of a day: every document and payment, with the running balance.

    :raises RequestError: when the association has no such owner.
    """
    of_owner = {"tenant_id": tenant.tenant_id, "owner_id": owner_id, "as_of": as_of}
    owner = cursor.row(query("books/statement_owner.sql"), of_owner)
    if owner is None:
        raise RequestError(f"{tenant.name} ({tenant.code}) has no owner with the id {owner_id}")
    lines = cursor.rows(query("books/statement_lines.sql"), of_owner)
    return render("books/statement.txt", tenant_name=tenant.name, owner=owner, lines=lines, as_of=as_of)


def owners_of_unit(cursor: Cursor, tenant: Tenant, unit_number: str, *, as_of: date) -> list[UUID]:
    """Return the ids of a unit's owners of record on a day, the largest share first.

    :param unit_number: as documents have it.
    :raises RequestError: when the association has no such unit, or nobody owned it then.
    """
    rows = cursor.rows(
        query("books/owners_of_unit.sql"),
        {"tenant_id": tenant.tenant_id, "unit_number": unit_number, "as_of": as_of},
    )
    if not rows:
        raise RequestError(f"{tenant.name} ({tenant.code}) has no unit {unit_number!r}")
    owner_ids = [row["owner_id"] for row in rows if row["owner_id"] is not None]
    if not owner_ids:
        raise RequestError(f"unit {unit_number} of {tenant.name} ({tenant.code}) had no owner of record on {as_of}")
    return owner_ids
