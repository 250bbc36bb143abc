"""The command ``check-tables``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hoa_ops.cli.arguments import add_schema_owner, identifier, schema_owner_dsn
from hoa_ops.cli.console import say
from hoa_ops.database import SchemaOwnerDatabase
from hoa_ops.schema.check_tables import differences

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.description = (
        "Compare tables, views, rows and rights with what the jobs need, without changing anything. "
        "Prints a line for each difference; exit status 1 if there is any."
    )
    add_schema_owner(parser)
    parser.add_argument("--role", type=identifier, required=True, help="the worker: the role of the Airflow Connection")


def run(given: Namespace) -> int:
    """Print the differences, or that there are none."""
    with SchemaOwnerDatabase(schema_owner_dsn(given)) as database, database.transaction() as cursor:
        found = differences(cursor, given.role)
    for difference in found:
        say(f"✗ {difference}.")
    if not found:
        say("✓ Tables, views, rows and rights are what the jobs need.")
    return 1 if found else 0
