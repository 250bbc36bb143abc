"""Used as a newcomer and an operator would, on a real scheduler with every DAG unpaused, nothing posts by accident."""

import json
import subprocess
import sys
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

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
def unpaused(api):
    """A stack that went live when it started, with every DAG unpaused."""
    api.wait_for_dags(list(JOBS))
    for dag_id in JOBS:
        api.unpause(dag_id)


def scheduled(connection, column, condition=""):
    rows = connection.execute(f"SELECT {column} FROM hoa_ops.runs WHERE dag_run_id ~ '^scheduled__' {condition}")
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


def test_moment_that_was_missed_before_going_live_is_rehearsed(stack, scheduler_that_keeps_schedules):
    """Airflow carries out the latest past moment of a DAG that is unpaused."""
    with psycopg.connect(stack.postgres.dsn("associations"), autocommit=True) as connection:
        wait_until(
            lambda: scheduled(connection, "job") >= {"escalate_violations", "check_budget_variances"},
            "no moment that was missed was carried out",
            limit=120,
        )
        modes = scheduled(connection, "mode", "AND job IN ('escalate_violations', 'check_budget_variances')")
        posted = connection.execute(
            "SELECT count(*) FROM hoa.violation_escalations JOIN hoa_ops.runs ON runs.id = violation_escalations.run_id"
            " WHERE runs.dag_run_id ~ '^scheduled__'"
        ).fetchone()
    assert modes == {"rehearsal"}
    assert posted == (0,)


def posted(ledgers):
    """What there is but the records of runs: a moment that was missed may still be rehearsed meanwhile."""
    return {table: content for table, content in ledgers.state().items() if table not in {"runs", "run_tenants"}}


@pytest.mark.parametrize("dag_id", JOBS)
def test_dry_test_of_every_task_posts_nothing(stack, ledgers, dag_id):
    before = posted(ledgers)
    for task_id in ("check_params", *JOBS[dag_id], "deliver_messages", "report"):
        params = {"dry_run": True, "tenant": "sunset-ridge"}
        if task_id in JOBS["hoa_monthly_billing"]:
            params["job"] = task_id
        # Airflow's command and its scheduler may get in each other's way over the run; what counts is what was posted.
        command(stack, "tasks", "test", dag_id, task_id, DAY, "--task-params", json.dumps(params)).communicate(
            timeout=120
        )
    assert posted(ledgers) == before


def test_run_that_tasks_test_makes_is_skipped_where_the_scheduler_sees_it(stack, ledgers):
    before = posted(ledgers)
    with locked(stack):
        process = command(
            stack, "tasks", "test", HELD, "escalate_violations", DAY, "--task-params", '{"dry_run": true}'
        )
        wait_until(
            lambda: scheduler_said(stack, "This is the temporary run of an `airflow tasks test` command"),
            "the scheduler did not see the run",
            limit=60,
        )
    process.communicate(timeout=180)
    assert posted(ledgers) == before


def test_dry_dags_test_beside_a_scheduler_posts_nothing(stack, ledgers):
    """Whether the scheduler gets at one of the run's tasks is chance; either way nothing is posted."""
    before = posted(ledgers)
    process = command(stack, "dags", "test", HELD, DAY, "--conf", '{"dry_run": true}')
    process.communicate(timeout=180)
    assert posted(ledgers) == before


def test_run_dated_a_year_ahead_does_nothing_and_holds_up_no_other(stack, api, ledgers):
    """Airflow shows it as running until its day comes."""
    before = posted(ledgers)
    ahead = api.trigger(HELD, logical_date=datetime.now(UTC) + timedelta(days=365))
    wait_until(lambda: api.run_state(HELD, ahead) == "running", "the run dated ahead was not taken up", limit=60)
    assert api.wait_for_run(HELD, api.trigger(HELD, {"dry_run": True}), limit=120) == "success"
    assert set(api.task_states(HELD, ahead).values()) == {None}
    api.fail_run(HELD, ahead)
    assert api.run_state(HELD, ahead) == "failed"
    assert posted(ledgers) == before
