"""An association's journal in Beancount's form, so that another program can judge the books.

The form is described at https://beancount.github.io/docs/beancount_language_syntax.html. ``bean-check`` proves that
every entry balances, and that every account's balance is what the database says it is.
"""

from __future__ import annotations

import re
from datetime import timedelta
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

from hoa_ops.database import query

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date
    from uuid import UUID

    from hoa_ops.associations import Tenant
    from hoa_ops.database import Cursor, Row

ROOT_OF_TYPE = {
    "asset": "Assets",
    "liability": "Liabilities",
    "equity": "Equity",
    "revenue": "Income",
    "expense": "Expenses",
}
CURRENCY = "USD"


def journal_as_beancount(cursor: Cursor, tenant: Tenant, *, as_of: date) -> Iterator[str]:
    """Write an association's journal line by line: its accounts, its entries, and the balances at the end.

    Debits are positive and credits negative, as in Beancount. Names of owners are not in the journal.

    :param as_of: the last day of the journal; the balances are those at its end.
    """
    at = {"tenant_id": tenant.tenant_id, "as_of": as_of}
    accounts = cursor.rows(query("books/account_balances.sql"), at)
    names = _account_names(accounts)
    yield f"option {_text('title')} {_text(tenant.name)}"
    yield f"option {_text('operating_currency')} {_text(CURRENCY)}"
    yield ""
    for account in accounts:
        opened = account["first_entry_date"] or as_of
        yield f"{opened} open {names[account['account_id']]} {CURRENCY}"
        yield f"  name: {_text(account['name'])}"
    lines = cursor.rows(query("books/journal.sql"), at)
    for _, entry_lines in groupby(lines, key=itemgetter("entry_id")):
        yield ""
        yield from _transaction(list(entry_lines), names)
    yield ""
    # A balance holds at the beginning of its day. Beancount would let a cent pass.
    for account in accounts:
        yield f"{as_of + timedelta(1)} balance {names[account['account_id']]} {account['balance']} ~ 0 {CURRENCY}"


def _transaction(lines: list[Row], names: dict[UUID, str]) -> Iterator[str]:
    entry = lines[0]
    yield f"{entry['entry_date']} * {_text(entry['description'])}"
    yield f"  number: {_text(entry['entry_number'])}"
    yield f"  source: {_text(entry['source'])}"
    for line in lines:
        yield f"  {names[line['account_id']]}  {line['amount']} {CURRENCY}"
        if line["memo"]:
            yield f"    memo: {_text(line['memo'])}"


def _account_names(accounts: Iterable[Row]) -> dict[UUID, str]:
    """Make Beancount's names of accounts out of their numbers; what it does not allow in a name becomes a dash."""
    names: dict[UUID, str] = {}
    for account in accounts:
        number = re.sub(r"[^A-Za-z0-9]+", "-", account["number"]).strip("-").title()
        name = f"{ROOT_OF_TYPE[account['type']]}:{number}"
        if not number or name in names.values():
            name = f"{name}No-{account['account_id']}"
        names[account["account_id"]] = name
    return names


def _text(text: str) -> str:
    """Quote text; a line break would be kept, but reads badly in a journal."""
    quoted = " ".join(text.split()).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{quoted}"'
