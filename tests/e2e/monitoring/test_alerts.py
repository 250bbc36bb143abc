"""Nothing fails silently: the real scheduler, real processes that die, and what arrives on Slack and by e-mail."""

from contextlib import contextmanager
from urllib.parse import quote

import psutil
import psycopg
import pytest

from devstack.associations import WORKER
from devstack.demo_data import SCHEMA
from devstack.waiting import wait_until
from hoa_ops.monitoring.alerts.failed_task import NO_ERROR
from tests.support.slack import shown

VIOLATIONS, BUDGETS = "hoa_violation_escalation", "hoa_budget_variance"


@pytest.fixture(scope="module", autouse=True)
def unpaused(api):
    api.wait_for_dags([VIOLATIONS, BUDGETS])
    for dag_id in (VIOLATIONS, BUDGETS):
        api.unpause(dag_id)


@pytest.fixture
def alerts(slack, alert_mail):
    """Reads what both channels were told of a run."""
    return lambda run_id: (
        [text for text in map(_text, slack.posts) if run_id in text],
        [mail for mail in alert_mail.messages if run_id in body(mail)],
    )


def _text(post):
    return "\n".join(shown(post))


def body(mail):
    return mail.get_payload(0).get_content()


def wait_for_alerts(alerts, run_id, number, *, limit=30):
    wait_until(lambda: all(len(told) >= number for told in alerts(run_id)), "no alert arrived", limit=limit)
    return alerts(run_id)


@contextmanager
def locked(stack, table):
    """Holds a lock on which even a dry run waits."""
    with psycopg.connect(stack.postgres.dsn("associations")) as connection:
        connection.execute(f"LOCK TABLE {SCHEMA}.{table}")
        yield


def wait_until_blocked(stack):
    with psycopg.connect(stack.postgres.dsn(), autocommit=True) as server:
        wait_until(
            lambda: (
                server.execute(
                    "SELECT count(*) FROM pg_stat_activity WHERE usename = %s AND wait_event_type = 'Lock'", [WORKER]
                ).fetchone()
                == (1,)
            ),
            "the job did not come to the lock",
            limit=60,
        )


def wait_for_process(api, run_id, task_id, attempt):
    """Return the process of a try of a task as soon as it runs."""
    pid = None

    def runs():
        nonlocal pid
        [task] = [task for task in api.task_instances(VIOLATIONS, run_id) if task["task_id"] == task_id]
        pid = task["pid"] if (task["state"], task["try_number"]) == ("running", attempt) else None
        return pid is not None

    wait_until(runs, f"try {attempt} of {task_id} did not start", limit=60)
    return psutil.Process(pid)


def test_an_operator_that_raises(stack, api, alerts):
    run_id = api.trigger(VIOLATIONS, {"tenant": "no-such-association"})
    assert api.wait_for_run(VIOLATIONS, run_id) == "failed"
    assert api.task_states(VIOLATIONS, run_id)["complete"] == "failed"
    # Once: neither the tasks that could not run because of it, nor the one that looks for killed tasks, add to it.
    [text], [mail] = alerts(run_id)
    assert "The task check_params of hoa_violation_escalation failed." in text
    assert "no association has the code, id or name that was asked for" in text
    assert "*Try*\n1, not retried" in text
    assert "docs/runbook.md#a-run-was-refused" in text
    run_url = f"{stack.airflow.url}/dags/{VIOLATIONS}/runs/{quote(run_id)}"
    assert f"<{run_url}/tasks/check_params|Open the log>" in text
    assert mail["To"] == "operations@hoa-ops.example"
    assert mail["Subject"] == "Failed: check_params of hoa_violation_escalation"


def test_a_database_that_goes_away_is_told_of_once_and_not_at_the_retry(stack, api, alerts):
    with psycopg.connect(stack.postgres.dsn(), autocommit=True) as server:
        try:
            with locked(stack, "violations"):
                run_id = api.trigger(VIOLATIONS, {"dry_run": True})
                wait_until_blocked(stack)
                server.execute(f"ALTER ROLE {WORKER} NOLOGIN")
                server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", [WORKER])
                assert api.wait_for_run(VIOLATIONS, run_id) == "failed"
        finally:
            server.execute(f"ALTER ROLE {WORKER} LOGIN")
    [text], [mail] = alerts(run_id)
    assert "The task escalate_violations of hoa_violation_escalation failed." in text
    assert "the associations' database cannot be reached or went away" in text
    assert "*Try*\n2 of at most 2" in text
    assert "2 of at most 2" in body(mail)


def test_a_task_killed_in_its_last_try(stack, api, alerts):
    with locked(stack, "violations"):
        run_id = api.trigger(VIOLATIONS, {"dry_run": True})
        for attempt in (1, 2):
            wait_for_process(api, run_id, "escalate_violations", attempt).kill()
        assert api.wait_for_run(VIOLATIONS, run_id) == "failed"
    [text], [mail] = alerts(run_id)
    assert "The task escalate_violations of hoa_violation_escalation failed." in text
    assert NO_ERROR in text
    assert NO_ERROR in body(mail)


def test_a_worker_killed_with_its_task(stack, api, alerts):
    with locked(stack, "violations"):
        run_id = api.trigger(VIOLATIONS, {"dry_run": True})
        wait_for_process(api, run_id, "escalate_violations", 1).kill()
        task = wait_for_process(api, run_id, "escalate_violations", 2)
        worker = task.parent()
        worker.kill()
        task.kill()
        assert api.wait_for_run(VIOLATIONS, run_id) == "failed"
    # Airflow misses the heartbeat and has the DAG processor tell, now and then twice; the run's own task tells as well.
    speakers = {"2 of at most 2", "the last"}

    def heard():
        texts, mails = alerts(run_id)
        return [
            {speaker for speaker in speakers if any(speaker in said for said in channel if NO_ERROR in said)}
            for channel in (texts, [body(mail) for mail in mails])
        ]

    wait_until(lambda: heard() == [speakers, speakers], "not both have told of it", limit=30)


def test_a_run_that_is_late(stack, api, alerts):
    with locked(stack, "budget_lines"):
        run_id = api.trigger(BUDGETS, {"dry_run": True})
        texts, mails = wait_for_alerts(alerts, run_id, 1, limit=60)
        assert api.run_state(BUDGETS, run_id) == "running"
    assert api.wait_for_run(BUDGETS, run_id) == "success"
    [text], [mail] = texts, mails
    assert text.startswith(
        ":hourglass: Late: hoa_budget_variance\nA run of hoa_budget_variance has not succeeded within"
    )
    assert "*State*\nrunning" in text
    assert f"<{stack.airflow.url}/dags/{BUDGETS}/runs/" in text
    assert mail["Subject"] == "Late: hoa_budget_variance"


def test_alerts_name_no_association_and_no_person(slack, alert_mail):
    told = "".join([*map(_text, slack.posts), *(body(mail) for mail in alert_mail.messages)])
    assert "What to do" in told
    for canary in ("Sunset", "sunset-ridge", "Harbor", "John Smith", "@example.com"):
        assert canary not in told
