"""The proof that an association's books are in order, for bookkeepers, monitors and tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hoa_ops.books.statements import receivables_aging
from hoa_ops.database import query
from hoa_ops.templates import money

if TYPE_CHECKING:
    from datetime import date
    from uuid import UUID

    from hoa_ops.database import Cursor


def deviations(cursor: Cursor, tenant_id: UUID, *, as_of: date) -> list[str]:
    """Say in sentences what is wrong with an association's books; nothing when they are in order.

    Debits equal credits, invoices equal their lines, document numbers have no gaps, and at the end of the day open
    invoices equal the ledger's receivables and unapplied payments equal its owner prepayments.

    :param as_of: the day of the comparisons with the general ledger.
    """
    at = {"tenant_id": tenant_id, "as_of": as_of}
    found = [row["deviation"] for row in cursor.rows(query("books/integrity.sql"), at)]
    aging = receivables_aging(cursor, tenant_id, as_of=as_of)
    [control] = cursor.rows(query("books/control_accounts.sql"), at)
    for documents, amount, account, balance in (
        ("open invoices", aging.total, aging.ledger_account, aging.ledger_balance),
        (
            "unapplied payments",
            control["unapplied_payments"],
            control["prepayments_account"],
            control["prepayments"],
        ),
    ):
        if amount != balance:
            found.append(
                f"{documents} are {money(amount)}, account {account} of the general ledger has {money(balance)}"
            )
    return found
