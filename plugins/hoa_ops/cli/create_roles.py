"""The command ``create-roles``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from hoa_ops.cli.arguments import database_url, identifier
from hoa_ops.cli.console import say
from hoa_ops.schema.roles import SCHEMA_OWNER_PASSWORD, WORKER_PASSWORD, Role, create_roles

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

ADMINISTRATOR_DSN = "HOA_OPS_ADMIN_DSN"


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.epilog = f"Passwords are read from ${SCHEMA_OWNER_PASSWORD} and ${WORKER_PASSWORD}."
    parser.add_argument(
        "--admin-dsn",
        default=os.environ.get(ADMINISTRATOR_DSN),
        metavar="URL",
        help=f"URL of the server, as a role that may create roles and databases (default: ${ADMINISTRATOR_DSN})",
    )
    parser.add_argument(
        "--database", type=identifier, default="associations", help="the associations' database (default: %(default)s)"
    )
    parser.add_argument(
        "--schema-owner",
        type=identifier,
        default="hoa_ops_owner",
        metavar="ROLE",
        help="owns the tables (default: %(default)s)",
    )
    parser.add_argument(
        "--worker",
        type=identifier,
        default="hoa_ops_worker",
        metavar="ROLE",
        help="runs the jobs (default: %(default)s)",
    )


def run(given: Namespace) -> None:
    """Create what is missing, and say what was done."""
    admin_dsn = database_url(
        given.admin_dsn,
        f"this command connects as an administrator of the server: set {ADMINISTRATOR_DSN}, or give --admin-dsn, "
        f"to a URL such as postgresql://postgres:PASSWORD@HOST/postgres",
    )
    schema_owner = Role(given.schema_owner, os.environ.get(SCHEMA_OWNER_PASSWORD) or None)
    worker = Role(given.worker, os.environ.get(WORKER_PASSWORD) or None)
    for sentence in create_roles(admin_dsn, database=given.database, schema_owner=schema_owner, worker=worker):
        say(sentence)
