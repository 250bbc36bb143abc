"""Deletes Airflow's run history and local log files past the retention period.

The history is deleted by Airflow's own ``db clean``. The associations' database is not touched: the run ledger, the
outbox and the books are kept forever.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pendulum
from airflow.providers.common.compat.sdk import conf
from sqlalchemy import inspect
from sqlalchemy.exc import SQLAlchemyError

from hoa_ops.errors import HoaOpsError
from hoa_ops.settings import get_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

CONFIGURE = "Set AIRFLOW_HOME and every AIRFLOW__... variable as they are for the scheduler (docs/logs.md)"


def prune_history(before: datetime, *, dry_run: bool) -> None:
    """Delete what Airflow's own database has from before a moment; the newest run of each DAG stays.

    :raises HoaOpsError: when Airflow's database has no tables, or Airflow could not clean one.
    """
    from airflow.utils.db_cleanup import run_cleanup  # noqa: PLC0415 - loads Airflow's models, for this command only

    _check_database()
    try:
        run_cleanup(
            clean_before_timestamp=pendulum.instance(before),
            dry_run=dry_run,
            confirm=False,
            skip_archive=True,
            error_on_cleanup_failure=True,
        )
    except RuntimeError as error:
        raise HoaOpsError(str(error)) from None


def _check_database() -> None:
    """Refuse an Airflow that was never set up, such as the one that Airflow makes where nothing is configured."""
    from airflow.utils.session import create_session  # noqa: PLC0415 - loads Airflow's models, for this command only

    with create_session() as session:
        database = session.get_bind()
    url = database.engine.url.render_as_string(hide_password=True)
    try:
        is_set_up = inspect(database).has_table("dag_run")
    except SQLAlchemyError:
        raise HoaOpsError(f"Airflow's database {url} cannot be reached. {CONFIGURE}") from None
    if not is_set_up:
        raise HoaOpsError(f"Airflow's database {url} has no tables, so there is nothing to delete. {CONFIGURE}")


def prune_logs(folder: Path, before: datetime, *, dry_run: bool) -> int:
    """Delete the log files below a folder that were last written before a moment, and folders that are then empty.

    Symbolic links are neither followed nor deleted.

    :returns: how many files were, or would be, deleted.
    """
    old = [path for path in _log_files(folder) if path.lstat().st_mtime < before.timestamp()]
    if not dry_run:
        for path in old:
            path.unlink(missing_ok=True)
            _remove_empty_folders(path.parent, folder)
    return len(old)


def _log_files(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*.log"):
        if path.is_file() and not path.is_symlink():
            yield path


def _remove_empty_folders(folder: Path, top: Path) -> None:
    while folder != top:
        try:
            folder.rmdir()
        except OSError:  # Not empty, or another process was faster.
            return
        folder = folder.parent


def log_folder() -> Path | None:
    """Return where this machine keeps log files; None where logs are kept remotely, with a retention of their own."""
    return None if conf.getboolean("logging", "remote_logging") else Path(conf.get("logging", "base_log_folder"))


def retained_from(now: datetime) -> datetime:
    """Return the moment before which the retention period is over."""
    return now - timedelta(days=get_settings().retention_days)
