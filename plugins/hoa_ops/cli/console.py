"""What the commands have in common: they reach the database as the jobs do, with the jobs' rights."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentTypeError

from hoa_ops.database import Database
from hoa_ops.settings import get_settings


def connected() -> Database:
    """Return the associations' database of the Airflow Connection of the settings, to be used in a ``with`` block."""
    # Outside of a task, Airflow looks for Connections in its own database only for processes that say they are servers.
    os.environ.setdefault("_AIRFLOW_PROCESS_CONTEXT", "server")
    return Database(get_settings().database_conn_id)


def say(text: str) -> None:
    """Write to the standard output."""
    sys.stdout.write(f"{text}\n")


def words(text: str) -> str:
    """Read an argument that must say something."""
    if not text.strip():
        raise ArgumentTypeError("must not be empty")
    return text.strip()
