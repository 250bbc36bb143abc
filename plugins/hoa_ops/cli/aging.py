"""The command ``aging``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hoa_ops.associations import find_association
from hoa_ops.books.statements import aging_text, receivables_aging
from hoa_ops.cli.arguments import add_as_of, add_association
from hoa_ops.cli.console import connected, say, today

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.description = (
        "Print an association's open invoices by age. Exit status 1 if they do not equal the general ledger."
    )
    add_association(parser)
    add_as_of(parser)


def run(given: Namespace) -> int:
    """Print the table."""
    with connected() as database, database.transaction(read_only=True) as cursor:
        tenant = find_association(cursor, given.tenant)
        aging = receivables_aging(cursor, tenant.tenant_id, as_of=given.as_of or today())
    say(aging_text(tenant, aging))
    return 1 if aging.difference else 0
