"""The command line of the package: ``python -m hoa_ops <command>``, with ``plugins/`` on the Python path."""

from __future__ import annotations

import argparse
import os
import sys

from hoa_ops.books import reversals
from hoa_ops.cli import books as bookkeeping
from hoa_ops.cli import plan as planning
from hoa_ops.cli.settings import settings_page
from hoa_ops.delivery import actions as by_hand
from hoa_ops.errors import HoaOpsError
from hoa_ops.monitoring import deployment, health, retention
from hoa_ops.schema import check_tables as adoption
from hoa_ops.schema import roles
from hoa_ops.schema.migrations import migrate

DSN_VARIABLE = "HOA_OPS_OWNER_DSN"


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m hoa_ops", description="Set up HOA Ops, and look into its books.")
    commands = parser.add_subparsers(dest="command", required=True)

    owner = argparse.ArgumentParser(add_help=False)
    owner.add_argument(
        "--dsn",
        default=os.environ.get(DSN_VARIABLE),
        required=not os.environ.get(DSN_VARIABLE),
        help=f"URL of the database as the role that owns the tables (default: ${DSN_VARIABLE})",
    )
    migrate_command = commands.add_parser(
        "migrate", parents=[owner], help="create the tables or bring them to the newest version"
    )
    migrate_command.add_argument(
        "--adopt",
        action="store_true",
        help="some of the associations' tables are there, or views of their names: create those that are missing",
    )
    migrate_command.set_defaults(run=lambda given: migrate(given.dsn, adopt=given.adopt))
    roles.add_commands(commands, owner)
    settings_command = commands.add_parser("settings", help="print every setting with its default and meaning")
    settings_command.set_defaults(run=lambda _given: sys.stdout.write(settings_page()) and None)
    deployment.add_commands(commands)
    adoption.add_commands(commands, owner)
    bookkeeping.add_commands(commands)
    health.add_commands(commands)
    planning.add_commands(commands)
    by_hand.add_commands(commands)
    reversals.add_commands(commands, owner)
    retention.add_commands(commands)

    given = parser.parse_args(arguments)
    try:
        status: int | None = given.run(given)
    except HoaOpsError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return status or 0


if __name__ == "__main__":
    sys.exit(main())
