"""The commands for bookkeepers: ``statement``, ``ageing`` and ``check-books``.

They read only, and reach the database as the jobs do: through the Airflow Connection of the settings, with its rights.
"""

from __future__ import annotations

from contextlib import contextmanager
from datetime import date, datetime
from typing import TYPE_CHECKING
from uuid import UUID

from hoa_ops.books.integrity import deviations
from hoa_ops.books.statements import ageing_text, owner_statement, receivables_ageing
from hoa_ops.cli.console import connected, say
from hoa_ops.database import statement
from hoa_ops.engine.tenants import Tenant
from hoa_ops.errors import RequestError
from hoa_ops.settings import get_settings

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace, _SubParsersAction
    from collections.abc import Iterator

    from hoa_ops.database import Cursor


def add_commands(commands: _SubParsersAction[ArgumentParser]) -> None:
    """Add the commands to the command line; each sets ``run``, which returns its exit status."""
    statement_command = commands.add_parser(
        "statement", help="print an owner's account: documents, payments, credits, running balance"
    )
    statement_command.add_argument("--tenant", required=True, help="code or id of the association")
    statement_command.add_argument("--owner", required=True, type=UUID, help="id of the owner")
    statement_command.set_defaults(run=_print_statement)

    ageing_command = commands.add_parser(
        "ageing",
        aliases=["aging"],
        help="print an association's open invoices by age; exit status 1 unless they equal the general ledger",
    )
    ageing_command.add_argument("--tenant", required=True, help="code or id of the association")
    ageing_command.set_defaults(run=_print_ageing)

    check_command = commands.add_parser(
        "check-books", help="check that books are in order; exit status 1 and one line for all that is not"
    )
    check_command.add_argument("--tenant", help="code or id of one association (default: all active ones)")
    check_command.set_defaults(run=_check_books)

    for command in (statement_command, ageing_command, check_command):
        command.add_argument(
            "--as-of", type=date.fromisoformat, help="the day whose end counts, YYYY-MM-DD (default: today)"
        )


def _print_statement(given: Namespace) -> int:
    with _books() as cursor:
        [tenant] = _tenants(cursor, given.tenant)
        say(owner_statement(cursor, tenant, given.owner, as_of=_as_of(given)))
    return 0


def _print_ageing(given: Namespace) -> int:
    with _books() as cursor:
        [tenant] = _tenants(cursor, given.tenant)
        ageing = receivables_ageing(cursor, tenant.tenant_id, as_of=_as_of(given))
    say(ageing_text(tenant, ageing))
    return 1 if ageing.difference else 0


def _check_books(given: Namespace) -> int:
    found = 0
    with _books() as cursor:
        tenants = _tenants(cursor, given.tenant)
        for tenant in tenants:
            for deviation in deviations(cursor, tenant.tenant_id, as_of=_as_of(given)):
                found += 1
                say(f"✗ {tenant.name}: {deviation}")
    if not found:
        say(f"✓ The books of {len(tenants)} association(s) are in order.")
    return 1 if found else 0


@contextmanager
def _books() -> Iterator[Cursor]:
    with connected() as database, database.transaction(read_only=True) as cursor:
        yield cursor


def _tenants(cursor: Cursor, tenant: str | None) -> list[Tenant]:
    """Unlike a job, look at any association that is asked for, active or not."""
    rows = cursor.rows(statement("engine/find_tenants.sql"), {"tenant": tenant, "shard": 0, "shards": 1})
    if tenant is not None and not rows:
        raise RequestError(f"tenant: there is no association with the code or id {tenant!r}")
    return [Tenant(row["tenant_id"], row["code"], row["name"]) for row in rows]


def _as_of(given: Namespace) -> date:
    as_of: date = given.as_of or datetime.now(get_settings().zone).date()
    return as_of
