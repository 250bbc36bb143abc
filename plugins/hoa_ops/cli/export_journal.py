"""The command ``export-journal``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hoa_ops.associations import find_association
from hoa_ops.books.beancount import journal_as_beancount
from hoa_ops.cli.arguments import add_as_of, add_association
from hoa_ops.cli.console import connected, say, today

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.description = (
        "Print an association's journal in the form that Beancount reads. `bean-check` on it proves that every entry "
        "balances and that every account has the balance that the database says."
    )
    add_association(parser)
    add_as_of(parser)


def run(given: Namespace) -> None:
    """Print the journal."""
    as_of = given.as_of or today()
    with connected() as database, database.transaction(read_only=True) as cursor:
        for line in journal_as_beancount(cursor, find_association(cursor, given.tenant), as_of=as_of):
            say(line)
