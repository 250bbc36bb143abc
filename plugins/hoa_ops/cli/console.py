"""What commands do with their surroundings: print, ask for the date, and reach the database as the jobs do."""

from __future__ import annotations

import os
import sys
from datetime import date, datetime

from hoa_ops.database import Database
from hoa_ops.settings import get_settings


def say(text: str) -> None:
    """Write a line to the standard output."""
    sys.stdout.write(f"{text}\n")


def today() -> date:
    """Return the date in the deployment's time zone."""
    return datetime.now(get_settings().zone).date()


def use_connections() -> None:
    """Let Airflow look for Connections in its own database as well, as it does in a task.

    Elsewhere it looks there only for processes that say they are servers.
    """
    os.environ.setdefault("_AIRFLOW_PROCESS_CONTEXT", "server")


def connected() -> Database:
    """Return the associations' database of the deployment's Connection, to be used in a ``with`` block."""
    use_connections()
    return Database(get_settings().database_conn_id)
