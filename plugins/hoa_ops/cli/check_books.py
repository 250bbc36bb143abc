"""The command ``check-books``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hoa_ops.associations import active_associations, find_association
from hoa_ops.books.integrity import deviations
from hoa_ops.cli.arguments import add_as_of, add_association
from hoa_ops.cli.console import connected, say, today

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.description = (
        "Check that the books balance and that nothing is missing from them. "
        "Prints a line for each fault; exit status 1 if there is any."
    )
    add_association(parser, default="all active ones")
    add_as_of(parser)


def run(given: Namespace) -> int:
    """Print the faults, or that there are none."""
    as_of = given.as_of or today()
    faults = 0
    with connected() as database, database.transaction(read_only=True) as cursor:
        tenants = [find_association(cursor, given.tenant)] if given.tenant else active_associations(cursor)
        for tenant in tenants:
            for deviation in deviations(cursor, tenant.tenant_id, as_of=as_of):
                faults += 1
                say(f"✗ {tenant.name}: {deviation}")
    if not faults:
        say(f"✓ The books of {len(tenants)} association(s) are in order.")
    return 1 if faults else 0
