"""The command ``grant``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hoa_ops.cli.arguments import add_schema_owner, identifier, schema_owner_dsn
from hoa_ops.schema.roles import grant_worker

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.description = "Give the worker role the rights that the jobs need, and revoke all others on these tables."
    add_schema_owner(parser)
    parser.add_argument(
        "--role", type=identifier, required=True, help="the role of the Airflow Connection; it must exist"
    )


def run(given: Namespace) -> None:
    """Grant."""
    grant_worker(schema_owner_dsn(given), given.role)
