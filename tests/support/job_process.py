"""Runs a job's engine, or delivery, in a process of its own, which can be killed."""

import json
import multiprocessing
import os
import sys
from datetime import datetime
from multiprocessing.process import BaseProcess
from typing import Any

from hoa_ops.database import Database
from hoa_ops.delivery.mail_server import MailServer
from hoa_ops.delivery.outbox import Delivery
from hoa_ops.engine.go_live import Mode
from hoa_ops.engine.job_run import JobRun, JobSql
from hoa_ops.jobs import job_named
from hoa_ops.jobs.run_request import RunDate
from hoa_ops.settings import get_settings

# A fork of a process that has imported everything already: a trial takes no second.
_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload([__name__, "airflow.providers.postgres.hooks.postgres"])
FAILED = 3
"""Exit status of a process whose work ended in one of the project's own errors."""


def start_job(dsn: str, job: str, moment: datetime, *, dag_run_id: str = "scheduled__1", **params: Any) -> BaseProcess:
    """Start a live run of a job.

    :param dsn: URL of the database, as the worker.
    """
    return _start(_run_job, dsn, job, moment, dag_run_id, params)


def start_delivery(dsn: str, smtp: dict[str, Any]) -> BaseProcess:
    """Start a delivery of all e-mail that is due.

    :param smtp: the Connection to the mail server.
    """
    return _start(_deliver, dsn, smtp)


def finish(process: BaseProcess) -> int:
    """Wait for a process to end; return its exit status."""
    process.join(60)
    if process.exitcode is None:
        process.kill()
        message = f"{process.name} did not end within a minute"
        raise TimeoutError(message)
    return process.exitcode


def _start(work: Any, *arguments: Any) -> BaseProcess:
    process = _PROCESSES.Process(target=work, args=arguments, daemon=True)
    process.start()
    return process


def _run_job(dsn: str, name: str, moment: datetime, dag_run_id: str, params: dict[str, Any]) -> None:
    _connect(dsn)
    job = job_named(name)
    request = job.request.read(params)
    with Database(get_settings().database_conn_id) as database:
        run = JobRun(
            database,
            job,
            request,
            RunDate.of(request, moment, job=job),
            sql=JobSql.of(job),
            mode=Mode.LIVE,
            dag_run_id=dag_run_id,
        )
        failed = bool(run.execute().failed)
    sys.exit(FAILED if failed else 0)


def _deliver(dsn: str, smtp: dict[str, Any]) -> None:
    _connect(dsn)
    os.environ["AIRFLOW_CONN_HOA_OPS_SMTP"] = json.dumps(smtp)
    settings = get_settings()
    with Database(settings.database_conn_id) as database:
        Delivery(database, MailServer(settings.smtp_conn_id), settings).run()


def _connect(dsn: str) -> None:
    os.environ |= {"AIRFLOW_CONN_HOA_OPS_DB": dsn, "AIRFLOW__HOA_OPS__MAIL_PER_MINUTE": "100000"}
    get_settings.cache_clear()
    # What a dying process has to say is not the test's.
    sys.stderr = open(os.devnull, "w")  # noqa: PTH123, SIM115
