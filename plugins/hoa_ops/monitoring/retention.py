"""What removes Airflow's run history and local task logs when they are old: ``python -m hoa_ops prune``.

The history goes by Airflow's own ``db clean``. The associations' database is not touched: the run ledger, the outbox
and the books are kept for ever.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pendulum
from airflow.providers.common.compat.sdk import conf

from hoa_ops.cli.console import say
from hoa_ops.errors import HoaOpsError
from hoa_ops.settings import get_settings

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace, _SubParsersAction
    from collections.abc import Iterator


def add_commands(commands: _SubParsersAction[ArgumentParser]) -> None:
    """Add the command to the command line."""
    command = commands.add_parser(
        "prune",
        help="remove Airflow's run history and local log files that are older than the setting retention_days",
    )
    command.add_argument("--dry-run", action="store_true", help="show what would be removed; remove nothing")
    command.set_defaults(run=_prune)


def prune_history(before: datetime, *, dry_run: bool) -> None:
    """Remove what Airflow's own database knows from before a moment; the newest run of each DAG stays.

    :raises HoaOpsError: when Airflow could not clean a table.
    """
    from airflow.utils.db_cleanup import run_cleanup  # noqa: PLC0415 - loads Airflow's models, for this command only

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


def prune_logs(folder: Path, before: datetime, *, dry_run: bool) -> int:
    """Remove the log files below a folder that were last written before a moment, and folders that are then empty.

    Symbolic links are neither followed nor removed.

    :returns: how many files were, or would be, removed.
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


def _prune(given: Namespace) -> None:
    days = get_settings().retention_days
    before = datetime.now(UTC) - timedelta(days=days)
    prune_history(before, dry_run=given.dry_run)
    will = "would be " if given.dry_run else ""
    say(f"Airflow's run history from before {before:%Y-%m-%d %H:%M} UTC ({days} days) {will}removed.")
    if conf.getboolean("logging", "remote_logging"):
        say("Task logs are kept remotely: their retention is set there (docs/logs.md).")
        return
    folder = Path(conf.get("logging", "base_log_folder"))
    say(f"{prune_logs(folder, before, dry_run=given.dry_run)} log file(s) below {folder} {will}removed.")
