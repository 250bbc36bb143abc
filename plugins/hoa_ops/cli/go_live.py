"""The command ``go-live``: from now on, jobs post."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hoa_ops.cli.arguments import add_jobs, add_signature, chosen_jobs
from hoa_ops.cli.console import connected, say
from hoa_ops.engine.go_live import go_live

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.description = (
        "Let jobs post. Until then they only rehearse: what is scheduled is planned and reported, and nothing is "
        "posted or sent. What was scheduled before this moment is not carried out."
    )
    add_jobs(parser)
    add_signature(parser)


def run(given: Namespace) -> None:
    """Record the decision, and print which jobs are live."""
    jobs = chosen_jobs(given)
    with connected() as database, database.transaction() as cursor:
        changed = go_live(cursor, jobs, who=given.who, why=given.why)
    for job in jobs:
        say(f"{job}: {'live from now on' if job in changed else 'was live already'}")
