"""The command ``statement``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hoa_ops.associations import find_association
from hoa_ops.books.statements import owner_statement, owners_of_unit
from hoa_ops.cli.arguments import add_as_of, add_association, record_id, words
from hoa_ops.cli.console import connected, say, today

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.description = "Print an owner's statement of account: invoices, payments, credits, and the running balance."
    add_association(parser)
    whose = parser.add_mutually_exclusive_group(required=True)
    whose.add_argument("--owner", type=record_id, metavar="ID", help="id of the owner")
    whose.add_argument(
        "--unit", type=words, metavar="NUMBER", help="the owners of this unit on that day, a statement each"
    )
    add_as_of(parser)


def run(given: Namespace) -> None:
    """Print the statement, or one per owner of the unit."""
    as_of = given.as_of or today()
    with connected() as database, database.transaction(read_only=True) as cursor:
        tenant = find_association(cursor, given.tenant)
        owner_ids = [given.owner] if given.owner else owners_of_unit(cursor, tenant, given.unit, as_of=as_of)
        say("\n\n".join(owner_statement(cursor, tenant, owner_id, as_of=as_of) for owner_id in owner_ids))
