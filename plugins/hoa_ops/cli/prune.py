"""The command ``prune``."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from hoa_ops.cli.console import say
from hoa_ops.errors import SettingsError

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.description = (
        "Delete Airflow's run history and this machine's log files that are older than the setting retention_days. "
        "The run ledger, the outbox and the books are never deleted."
    )
    parser.add_argument("--dry-run", action="store_true", help="say what would be deleted, and delete nothing")


def run(given: Namespace) -> None:
    """Delete, and say what was deleted.

    :raises SettingsError: when nothing says which Airflow is meant.
    """
    _check_environment()
    # Importing Airflow makes an empty installation in ~/airflow where there is none.
    from hoa_ops.monitoring.retention import log_folder, prune_history, prune_logs, retained_from  # noqa: PLC0415
    from hoa_ops.settings import get_settings  # noqa: PLC0415

    before = retained_from(datetime.now(UTC))
    deleted = "would be deleted" if given.dry_run else "deleted"
    prune_history(before, dry_run=given.dry_run)
    days = get_settings().retention_days
    say(f"Airflow's run history from before {before:%Y-%m-%d %H:%M} UTC ({days} days): {deleted}.")
    folder = log_folder()
    if folder is None:
        say("Task logs are kept remotely: set their retention there (docs/logs.md).")
    else:
        say(f"{prune_logs(folder, before, dry_run=given.dry_run)} log file(s) below {folder}: {deleted}.")


def _check_environment() -> None:
    """Refuse to run where Airflow is not configured, as in a cron job whose environment is almost empty."""
    is_named = any(
        name == "AIRFLOW_HOME" or name.startswith("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN") for name in os.environ
    )
    if not is_named and not Path("~/airflow/airflow.cfg").expanduser().exists():
        raise SettingsError(
            "nothing was deleted, because Airflow is not configured here: set AIRFLOW_HOME and every AIRFLOW__... "
            "variable as they are for the scheduler (docs/logs.md)"
        )
