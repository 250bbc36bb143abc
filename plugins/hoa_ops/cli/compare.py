"""The command ``compare``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hoa_ops.cli.console import say
from hoa_ops.engine.comparison import AMOUNT, compare

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.description = (
        "Compare a plan with what another program did, both as CSV. Rows match by the columns of the second file; the "
        "amounts of matching rows are added up. Of the plan, only the rows that would be posted count. "
        "Exit status 1 if anything differs."
    )
    parser.add_argument("plan", type=Path, metavar="PLAN", help="what `plan` printed")
    parser.add_argument(
        "other",
        type=Path,
        metavar="OTHER",
        help=f"what the other program did: the column {AMOUNT} and any other columns of the plan",
    )


def run(given: Namespace) -> int:
    """Print the comparison."""
    comparison = compare(given.plan, given.other)
    for line in comparison.lines():
        say(line)
    return 1 if comparison.differ else 0
