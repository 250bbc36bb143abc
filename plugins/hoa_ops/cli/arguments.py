"""Arguments that several commands take, and what their values must look like."""

from __future__ import annotations

import os
import re
from argparse import ArgumentTypeError
from typing import TYPE_CHECKING
from uuid import UUID

import psycopg
from psycopg.conninfo import conninfo_to_dict

from hoa_ops.days import read_day
from hoa_ops.errors import SettingsError
from hoa_ops.jobs import JOBS
from hoa_ops.text import is_mail_address

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from datetime import date

    from hoa_ops.jobs import Job

SCHEMA_OWNER_DSN = "HOA_OPS_OWNER_DSN"
LONGEST_TEXT = 1000
LONGEST_IDENTIFIER = 63


def day(text: str) -> date:
    """Read a day, written YYYY-MM-DD."""
    try:
        return read_day(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is not a day: {error}") from None


def count(text: str) -> int:
    """Read a number of things, 1 or more."""
    if not re.fullmatch(r"[1-9]\d{0,8}", text, flags=re.ASCII):
        raise ArgumentTypeError(f"{text!r} is not a number from 1 up")
    return int(text)


def record_id(text: str) -> UUID:
    """Read the id of a row."""
    try:
        return UUID(text)
    except ValueError:
        raise ArgumentTypeError(
            f"{text!r} is not an id: an id looks like 019a3e1c-7a54-7c1f-9d0e-2b1f4f6a8c3d"
        ) from None


def words(text: str) -> str:
    """Read an argument that must say something, on one line."""
    text = text.strip()
    if not text:
        raise ArgumentTypeError("must not be empty")
    if not text.isprintable():
        raise ArgumentTypeError(f"{text!r} must be one line of plain text")
    if len(text) > LONGEST_TEXT:
        raise ArgumentTypeError(f"must not be longer than {LONGEST_TEXT} characters")
    return text


def identifier(text: str) -> str:
    """Read the name of a role or a database."""
    text = words(text)
    if len(text.encode()) > LONGEST_IDENTIFIER:
        # PostgreSQL would cut it off and go on.
        raise ArgumentTypeError(f"{text!r} is too long for PostgreSQL: a name has at most {LONGEST_IDENTIFIER} bytes")
    return text


def mail_address(text: str) -> str:
    """Read an e-mail address."""
    if not is_mail_address(text):
        raise ArgumentTypeError(f"{text!r} is not an e-mail address: write one such as you@example.com")
    return text


def add_association(parser: ArgumentParser, *, default: str | None = None) -> None:
    """Add ``--tenant``.

    :param default: which associations are meant without it; None: it must be given.
    """
    narrowed = "" if default is None else f" (default: {default})"
    parser.add_argument(
        "--tenant",
        type=words,
        required=default is None,
        metavar="ASSOCIATION",
        help=f"code, id or name of one association{narrowed}",
    )


def add_as_of(parser: ArgumentParser) -> None:
    """Add ``--as-of``, which is today where it is left out (see :func:`hoa_ops.cli.console.today`)."""
    parser.add_argument(
        "--as-of", type=day, metavar="DAY", help="the books as of the end of this day, YYYY-MM-DD (default: today)"
    )


def add_jobs(parser: ArgumentParser) -> None:
    """Add ``--job`` and ``--all-jobs``; read them with :func:`chosen_jobs`."""
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument(
        "--job", action="append", choices=[job.name for job in JOBS], dest="jobs", help="a job; may be repeated"
    )
    which.add_argument("--all-jobs", action="store_true", help="all jobs")


def chosen_jobs(given: Namespace) -> list[Job]:
    """Return the jobs that were asked for."""
    return [job for job in JOBS if given.all_jobs or job.name in given.jobs]


def add_signature(parser: ArgumentParser) -> None:
    """Add ``--who`` and ``--why``, which are recorded with what a person does."""
    parser.add_argument("--who", type=words, required=True, metavar="NAME", help="your name, for the record")
    parser.add_argument("--why", type=words, required=True, metavar="REASON", help="the reason, for the record")


def add_schema_owner(parser: ArgumentParser) -> None:
    """Add ``--dsn``; read it with :func:`schema_owner_dsn`."""
    parser.add_argument(
        "--dsn",
        default=os.environ.get(SCHEMA_OWNER_DSN),
        metavar="URL",
        help=f"URL of the associations' database, as the schema owner (default: ${SCHEMA_OWNER_DSN})",
    )


def schema_owner_dsn(given: Namespace) -> str:
    """Return the URL of the associations' database as the schema owner.

    :raises SettingsError: when it was given neither way, or is not one.
    """
    return database_url(
        given.dsn,
        f"this command connects as the schema owner: set {SCHEMA_OWNER_DSN}, or give --dsn, to a URL such as "
        f"postgresql://hoa_ops_owner:PASSWORD@HOST/DATABASE",
    )


def database_url(text: str | None, wanted: str) -> str:
    """Return the URL of a database, as it was given.

    :param wanted: a sentence that says who needs it, and how it is set.
    :raises SettingsError: when there is none, or it is not one. It is not quoted, because it may hold a password.
    """
    if not text:
        raise SettingsError(wanted)
    try:
        conninfo_to_dict(text)
    except psycopg.Error:
        raise SettingsError(f"the URL of the database cannot be read; {wanted}") from None
    return text
