"""Finds the command that was asked for and runs it.

Only that command's module is imported, so that ``--help`` and a mistyped command are answered at once, also where
Airflow or the database driver is not installed.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from importlib import import_module
from typing import TYPE_CHECKING, NoReturn, Protocol, cast

from hoa_ops import __version__
from hoa_ops.errors import HoaOpsError
from hoa_ops.text import is_storable, on_one_line

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

COMMANDS = {
    "create-roles": "create the database and its two roles: the schema owner, and the worker that runs the jobs",
    "migrate": "create the tables, or bring them up to date",
    "grant": "give the worker role exactly the rights that the jobs need",
    "settings": "print every setting with its default and meaning",
    "check-deployment": "check settings, Connections, tables, rights, mail server and alerts",
    "check-tables": "compare tables, views, rows and rights with what the jobs need",
    "go-live": "let jobs post; until then they only rehearse",
    "rehearse": "take jobs back into rehearsal, in which they post nothing",
    "plan": "print what a job would post, as CSV or as a report, without posting it",
    "compare": "compare a plan with what another program did",
    "health": "say whether each job was done on time and whether mail is stuck",
    "check-books": "check that the books balance and that nothing is missing from them",
    "statement": "print an owner's statement of account",
    "aging": "print an association's open invoices by age",
    "export-journal": "print an association's journal for Beancount, another program that can check it",
    "outbox": "list and read messages; send them again, cancel them, or record that they arrived",
    "reverse": "void invoices that should not have been posted, with reversing journal entries",
    "prune": "delete Airflow's run history and log files past the retention period",
}
"""The commands, in the order in which a new deployment meets them, each with what it does."""


class Command(Protocol):
    """What a command's module offers."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the command's arguments."""

    def run(self, given: Namespace) -> int | None:
        """Do what the arguments say; return the exit status, where none is 0."""


class Parser(ArgumentParser):
    """A parser whose complaints are a sentence and where to read more, without the list of all options."""

    def error(self, message: str) -> NoReturn:
        """End the program with exit status 2."""
        self.exit(2, f"{on_one_line(message.removeprefix('argument '))}\nSee: {self.prog} --help\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    :param arguments: default: those of the process.
    :returns: the exit status.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    parser = Parser(prog="python -m hoa_ops", description="Set up, check and operate HOA Ops.")
    if not all(map(is_storable, arguments)):
        parser.error("one of the arguments contains a NUL or a byte that is not UTF-8 text: type it again")
    parser.add_argument("--version", action="version", version=f"HOA Ops {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    chosen = next((argument for argument in arguments if not argument.startswith("-")), None)
    for name, purpose in COMMANDS.items():
        command_parser = commands.add_parser(name, help=purpose, description=f"{purpose[0].upper()}{purpose[1:]}.")
        if name == chosen:
            command = cast("Command", import_module(f"hoa_ops.cli.{name.replace('-', '_')}"))
            command.add_arguments(command_parser)
    given = parser.parse_args(arguments)
    try:
        return command.run(given) or 0
    except HoaOpsError as error:
        sys.stderr.write(f"{error}\n")
        return 1
