"""The command ``migrate``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hoa_ops.cli.arguments import add_schema_owner, schema_owner_dsn
from hoa_ops.schema.migrations import migrate

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.description = (
        "Create the tables, or bring them up to date. Repeating it does no harm. Run `grant` afterwards."
    )
    add_schema_owner(parser)
    parser.add_argument(
        "--adopt",
        action="store_true",
        help="the associations' schema already has some of the tables, or views by their names: create only the others",
    )


def run(given: Namespace) -> None:
    """Migrate."""
    migrate(schema_owner_dsn(given), adopt=given.adopt)
