"""What `prune` removes, and what it leaves."""

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from airflow.utils import db_cleanup

from hoa_ops.cli.main import main
from hoa_ops.monitoring import retention
from hoa_ops.settings import get_settings

NOW = datetime.now(UTC)
BEFORE = NOW - timedelta(days=30)
PLUGINS = Path(__file__).resolve().parents[3] / "plugins"


@pytest.fixture
def logs(tmp_path):
    def write(path, days):
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("report")
        moment = (NOW - timedelta(days=days)).timestamp()
        os.utime(file, (moment, moment))
        return file

    write("dag_id=a/run_id=1/task_id=t/attempt=1.log", 31)
    write("dag_id=a/run_id=2/task_id=t/attempt=1.log", 31)
    write("dag_id=a/run_id=2/task_id=t/attempt=2.log", 29)
    write("dag_processor/2025-01-01/a.py.log", 200)
    write("keep.txt", 200)
    (tmp_path / "elsewhere.log").symlink_to(tmp_path / "keep.txt")
    return tmp_path


def remaining(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir())


def test_old_log_files_are_deleted_with_their_empty_folders(logs):
    before = remaining(logs)
    assert retention.prune_logs(logs, BEFORE, dry_run=True) == 3
    assert remaining(logs) == before
    assert retention.prune_logs(logs, BEFORE, dry_run=False) == 3
    assert remaining(logs) == ["dag_id=a/run_id=2/task_id=t/attempt=2.log", "elsewhere.log", "keep.txt"]
    assert [path.name for path in logs.iterdir() if path.is_dir()] == ["dag_id=a"]
    assert retention.prune_logs(logs, BEFORE, dry_run=False) == 0


def test_missing_log_folder_is_not_an_error(tmp_path):
    assert retention.prune_logs(tmp_path / "none", BEFORE, dry_run=False) == 0


@pytest.fixture
def cleanup(monkeypatch):
    calls = []
    monkeypatch.setattr(retention, "_check_database", lambda: None)
    monkeypatch.setattr(db_cleanup, "run_cleanup", lambda **arguments: calls.append(arguments))
    return calls


@pytest.mark.parametrize("dry", [True, False])
def test_history_is_deleted_by_airflow_db_clean(monkeypatch, logs, cleanup, capsys, dry):
    monkeypatch.setenv("AIRFLOW__LOGGING__BASE_LOG_FOLDER", str(logs))
    started = datetime.now(UTC)
    assert main(["prune", *(["--dry-run"] if dry else [])]) == 0
    [call] = cleanup
    kept_from = call.pop("clean_before_timestamp") + timedelta(days=get_settings().retention_days)
    assert started <= kept_from <= datetime.now(UTC)
    assert call == {"dry_run": dry, "confirm": False, "skip_archive": True, "error_on_cleanup_failure": True}
    assert f"3 log file(s) below {logs}: {'would be ' if dry else ''}deleted." in capsys.readouterr().out
    assert len(remaining(logs)) == (6 if dry else 3)


def test_local_files_stay_with_remote_logging(monkeypatch, logs, cleanup, capsys):
    monkeypatch.setenv("AIRFLOW__LOGGING__BASE_LOG_FOLDER", str(logs))
    monkeypatch.setenv("AIRFLOW__LOGGING__REMOTE_LOGGING", "True")
    assert main(["prune"]) == 0
    assert "set their retention there" in capsys.readouterr().out
    assert len(remaining(logs)) == 6


def test_failed_cleanup_of_the_history_is_an_error(monkeypatch, capsys):
    def fail(**_arguments):
        raise RuntimeError("errors on the following tables: ['dag_run']")

    monkeypatch.setattr(retention, "_check_database", lambda: None)
    monkeypatch.setattr(db_cleanup, "run_cleanup", fail)
    assert main(["prune"]) == 1
    assert "['dag_run']" in capsys.readouterr().err


def prune_alone(home, **variables):
    """Run the command with hardly any environment, as cron does."""
    return subprocess.run(
        [sys.executable, "-m", "hoa_ops", "prune"],
        env={"HOME": str(home), "PATH": "/usr/bin:/bin", "PYTHONPATH": str(PLUGINS), **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def test_empty_environment_is_refused_and_leaves_no_airflow_behind(tmp_path):
    done = prune_alone(tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("nothing was deleted, because Airflow is not configured here: set AIRFLOW_HOME and")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("database", "fault"),
    [
        ("sqlite:////{folder}/airflow.db", "has no tables, so there is nothing to delete"),
        ("postgresql+psycopg2://me:canary@127.0.0.1:1/airflow", "me:***@127.0.0.1:1/airflow cannot be reached"),
    ],
)
def test_airflow_that_runs_no_jobs_is_refused(tmp_path, database, fault):
    url = database.format(folder=tmp_path)
    done = prune_alone(tmp_path, AIRFLOW_HOME=str(tmp_path), AIRFLOW__DATABASE__SQL_ALCHEMY_CONN=url)
    assert done.returncode == 1
    [said] = done.stderr.splitlines()
    assert fault in said
    assert "Set AIRFLOW_HOME and every AIRFLOW__... variable" in said
    assert "canary" not in said
