"""Used as a newcomer and an operator would, on a real scheduler with every DAG unpaused, nothing posts by accident."""

import json
import subprocess
import sys
from contextlib import contextmanager

import psycopg
import pytest

from devstack.demo_data import SCHEMA
from devstack.waiting import wait_until

JOBS = {
    "hoa_violation_escalation": ["escalate_violations"],
    "hoa_budget_variance": ["check_budget_variances"],
    "hoa_monthly_billing": ["generate_invoices", "assess_late_fees", "send_reminders"],
}
HELD = "hoa_violation_escalation"
DAY = "2026-01-15"


@pytest.fixture(scope="module", autouse=True)
def unpaused(stack, api):
    """A stack that went live when it started; Airflow runs the latest past moment of each DAG as it is unpaused."""
    api.wait_for_dags(list(JOBS))
    for dag_id in JOBS:
        api.unpause(dag_id)
    ledger = stack.postgres.dsn("associations")
    with psycopg.connect(ledger, autocommit=True) as connection:
        wait_until(
            lambda: (
                {row[0] for row in connection.execute("SELECT DISTINCT job FROM hoa_ops.runs WHERE dag_run_id ~ '^s'")}
                >= {"escalate_violations", "check_budget_variances"}
            ),
            "no moment that was missed was carried out",
            limit=180,
        )


def scheduled(connection, column):
    rows = connection.execute(f"SELECT {column} FROM hoa_ops.runs WHERE dag_run_id ~ '^scheduled__'")
    return {row[0] for row in rows}


def command(stack, *arguments):
    return subprocess.Popen(
        [sys.executable, "-m", "airflow", *arguments],
        env=stack.airflow.environment | {"AIRFLOW__HOA_OPS__DEADLINES": "False"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@contextmanager
def locked(stack):
    """Holds a table, so that even a dry run waits, and the scheduler has the time to see its run."""
    with psycopg.connect(stack.postgres.dsn("associations")) as connection:
        connection.execute(f"LOCK TABLE {SCHEMA}.violations")
        yield


def scheduler_said(stack, sentence):
    logs = (stack.airflow.logs / f"dag_id={HELD}").rglob("*.log")
    return any(sentence in file.read_text(errors="replace") for file in logs)


def test_moment_that_was_missed_before_going_live_is_rehearsed(stack):
    with psycopg.connect(stack.postgres.dsn("associations")) as connection:
        modes = {
            row[0] for row in connection.execute("SELECT mode FROM hoa_ops.runs WHERE dag_run_id ~ '^scheduled__'")
        }
        posted = connection.execute(
            "SELECT count(*) FROM hoa.invoices JOIN hoa_ops.runs ON runs.id = invoices.run_id"
            " WHERE runs.dag_run_id ~ '^scheduled__'"
        ).fetchone()
    assert modes == {"rehearsal"}
    assert posted == (0,)


@pytest.mark.parametrize("dag_id", JOBS)
def test_dry_test_of_every_task_posts_nothing(stack, ledgers, dag_id):
    before = ledgers.state()
    for task_id in ("check_params", *JOBS[dag_id], "deliver_messages", "report"):
        params = {"dry_run": True, "tenant": "sunset-ridge"}
        if task_id in JOBS["hoa_monthly_billing"]:
            params["job"] = task_id
        process = command(stack, "tasks", "test", dag_id, task_id, DAY, "--task-params", json.dumps(params))
        output, _ = process.communicate(timeout=120)
        assert process.returncode == 0, output[-3000:]
        if task_id in JOBS[dag_id]:
            assert f"Run Date: {DAY}" in output
            assert "Mode: DRY RUN" in output
    assert ledgers.state() == before


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ["tasks", "test", HELD, "escalate_violations", DAY, "--task-params", '{"dry_run": true}'],
            "`airflow tasks test` made this run for the while",
        ),
        (["dags", "test", HELD, DAY, "--conf", '{"dry_run": true}'], "`airflow dags test` made this run"),
    ],
    ids=["tasks test", "dags test"],
)
def test_run_that_a_test_makes_is_skipped_where_the_scheduler_sees_it(stack, ledgers, arguments, sentence):
    before = ledgers.state()
    with locked(stack):
        process = command(stack, *arguments)
        wait_until(lambda: scheduler_said(stack, sentence), "the scheduler did not see the run", limit=60)
    process.communicate(timeout=180)
    assert ledgers.state() == before
