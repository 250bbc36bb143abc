"""The engine plans where Airflow is not installed: Connections come from the environment."""

import os
import subprocess
import sys
from pathlib import Path

PLUGINS = Path(__file__).resolve().parents[3] / "plugins"
PLAN = """
import sys

sys.modules["airflow"] = None  # as if it were not installed

from datetime import date, datetime
from zoneinfo import ZoneInfo

from hoa_ops.database import Database
from hoa_ops.engine.due import reason_to_skip
from hoa_ops.engine.go_live import Mode, job_modes
from hoa_ops.engine.job_run import JobRun, JobSql
from hoa_ops.jobs import GENERATE_INVOICES as job
from hoa_ops.jobs.run_request import RunDate

run_date = RunDate(moment=datetime(2025, 11, 1, 2, tzinfo=ZoneInfo("America/New_York")))
request = job.request.read({"dry_run": True})
with Database("hoa_ops_db") as database:
    with database.transaction(read_only=True) as cursor:
        assert reason_to_skip(cursor, job_modes(cursor, [job])[0], request, run_date, dag_run_id="x", shards=1) is None
    run = JobRun(database, job, request, run_date, sql=JobSql.of(job), mode=Mode.DRY_RUN, dag_run_id="x")
    print("\\n".join(run.execute().lines()))
assert not any(name.startswith("airflow.") for name in sys.modules)
"""


def test_engine_plans_where_airflow_is_not_installed(database, unit):
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(PLUGINS),
        "AIRFLOW_CONN_HOA_OPS_DB": database.worker_dsn,
        "AIRFLOW__HOA_OPS__TIMEZONE": "America/New_York",
    }
    process = subprocess.run([sys.executable, "-c", PLAN], env=environment, capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stderr
    assert "Mode: DRY RUN" in process.stdout
    assert "Would Invoice: 1" in process.stdout
