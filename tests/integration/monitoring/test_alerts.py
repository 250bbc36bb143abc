"""Alerts on their way: called as Airflow calls them, taken by a real mail server and a real webhook."""

import asyncio
import json
import logging
import sys
from types import SimpleNamespace

import pytest
from airflow.sdk.exceptions import AirflowFailException
from airflow.sdk.execution_time.task_runner import _run_task_state_change_callbacks
from airflow.triggers.callback import CallbackTrigger

from devstack.mail_sink import MailSink
from devstack.ports import LOOPBACK, free_port
from devstack.slack_sink import SlackSink
from hoa_ops.errors import HoaOpsError
from hoa_ops.monitoring.alerts.failed_task import NO_ERROR, TOLD, run_url
from hoa_ops.monitoring.alerts.late_run import deadline_alerts
from hoa_ops.operators.complete_run import CompleteRunOperator
from hoa_ops.settings import get_settings
from tests.support.job_runner import load_dag
from tests.support.slack import shown

DAG_ID = "hoa_violation_escalation"


@pytest.fixture
def slack():
    with SlackSink() as sink:
        yield sink


@pytest.fixture
def pager(monkeypatch):
    """A service that Apprise reaches, configured as a channel."""
    with SlackSink() as sink:
        monkeypatch.setenv("AIRFLOW_CONN_TEAM_PAGER", sink.apprise_connection)
        monkeypatch.setenv("AIRFLOW__HOA_OPS__ALERT_APPRISE_CONN_ID", "team_pager")
        get_settings.cache_clear()
        yield sink


@pytest.fixture
def mail(tmp_path):
    with MailSink(tmp_path) as sink:
        yield sink


@pytest.fixture(autouse=True)
def channels(monkeypatch, slack, mail):
    monkeypatch.setenv("AIRFLOW_CONN_TEAM_SLACK", slack.connection)
    monkeypatch.setenv("AIRFLOW_CONN_TEAM_MAIL", mail.connection)
    monkeypatch.setenv("AIRFLOW__HOA_OPS__ALERT_SLACK_CONN_ID", "team_slack")
    monkeypatch.setenv("AIRFLOW__HOA_OPS__ALERT_SMTP_CONN_ID", "team_mail")
    monkeypatch.setenv("AIRFLOW__HOA_OPS__ALERT_EMAIL", "ops@hoa.example, second@hoa.example")
    get_settings.cache_clear()
    yield
    monkeypatch.undo()
    get_settings.cache_clear()


class TaskInstance(SimpleNamespace):
    """As much of Airflow's as a callback sees; keeps what was left as XCom."""

    def __init__(self, task_id="escalate_violations", **facts):
        usual = {"run_id": "manual__1", "map_index": -1, "try_number": 2, "max_tries": 3}
        super().__init__(dag_id=DAG_ID, task_id=task_id, xcoms={}, **usual | facts)

    def xcom_push(self, key, value):
        self.xcoms[key] = value


def fail(ti, error, **params):
    context = {"ti": ti, "params": params, "outlet_events": {}}
    if error is not None:
        context["exception"] = error
    task = load_dag(DAG_ID).get_task(ti.task_id)
    _run_task_state_change_callbacks(task, "on_failure_callback", context, logging.getLogger(__name__))


def bodies(mail):
    return [message.get_payload(0).get_content() for message in mail.messages]


def test_both_channels_get_only_the_first_line_of_an_error(slack, mail):
    ti = TaskInstance()
    fail(ti, HoaOpsError("1 association(s) could not be posted:\n  Maple Court: no account 1200"))
    [post], [message], [body] = slack.posts, mail.messages, bodies(mail)
    assert shown(post)[:7] == [
        ":red_circle: Failed: escalate_violations of hoa_violation_escalation",
        "The task escalate_violations of hoa_violation_escalation failed.",
        "> 1 association(s) could not be posted:",
        "*Run*",
        "manual__1",
        "*Try*",
        "2 of at most 4",
    ]
    assert message["To"] == "ops@hoa.example, second@hoa.example"
    assert message["From"] == "airflow@hoa-ops.example"
    assert message["Subject"] == "Failed: escalate_violations of hoa_violation_escalation"
    assert "1 association(s) could not be posted:" in body
    assert "Maple Court" not in json.dumps(post) + body
    assert ti.xcoms == {TOLD: True}


def test_an_error_cannot_make_airflow_render_a_template(slack, mail):
    fail(TaskInstance(), HoaOpsError("{{ undefined_name.x }} {% raw"))
    assert "> {{ undefined_name.x }} {% raw" in shown(slack.posts[0])
    assert "{{ undefined_name.x }} {% raw" in bodies(mail)[0]


def test_alert_of_a_refusal_does_not_name_the_association(slack, mail):
    error = AirflowFailException("This run was refused: tenant: the association 'maple' is suspended.")
    fail(TaskInstance("check_params"), error, tenant="maple")
    said = "> This run was refused: tenant: the association that was asked for is suspended."
    assert said in shown(slack.posts[0])
    assert "maple" not in bodies(mail)[0]


def test_alert_from_the_dag_processor_has_no_error_and_leaves_no_xcom(slack, mail):
    ti = TaskInstance()
    fail(ti, None)
    assert f"> {NO_ERROR}" in shown(slack.posts[0])
    assert NO_ERROR in bodies(mail)[0]
    assert ti.xcoms == {}


def test_one_channel_that_fails_does_not_silence_the_other(slack, mail):
    slack.status = 500
    told_by_mail = TaskInstance()
    fail(told_by_mail, HoaOpsError("first"))
    assert len(mail.messages) == 1
    slack.status = 200
    mail.script = lambda _command: "550 5.7.1 no"
    told_by_slack = TaskInstance()
    fail(told_by_slack, HoaOpsError("second"))
    assert len(slack.posts) == 1
    assert told_by_mail.xcoms == told_by_slack.xcoms == {TOLD: True}


def test_failure_that_no_channel_took_is_still_unreported(slack, mail, caplog):
    slack.status = 500
    mail.script = lambda _command: "550 5.7.1 <ops@hoa.example> unknown"
    ti = TaskInstance()
    fail(ti, HoaOpsError("first"))
    assert ti.xcoms == {}
    complaints = [
        record.getMessage() for record in caplog.records if record.name == "hoa_ops.monitoring.alerts.channels"
    ]
    assert [complaint.split(" (")[0] for complaint in complaints] == [
        "The alert did not reach Slack",
        "The alert did not reach e-mail",
    ]
    assert "ops@hoa.example" not in "".join(complaints)


def test_missing_connection_does_not_silence_the_other_channel(monkeypatch, mail):
    monkeypatch.setenv(
        "AIRFLOW_CONN_TEAM_SLACK",
        json.dumps({"conn_type": "slackwebhook", "host": f"http://{LOOPBACK}:{free_port()}", "password": "x"}),
    )
    fail(TaskInstance(), HoaOpsError("first"))
    assert len(mail.messages) == 1


def test_killed_tasks_are_reported_by_the_last_task(slack, mail):
    told = {("check_params", -1): None, ("escalate_violations", 0): True, ("escalate_violations", 1): None}
    ti = SimpleNamespace(
        dag_id=DAG_ID,
        run_id="manual__1",
        get_task_breadcrumbs=lambda _dag_id, _run_id: [
            {"task_id": "check_params", "map_index": -1, "state": "success"},
            {"task_id": "deliver_messages", "map_index": -1, "state": "upstream_failed"},
            {"task_id": "escalate_violations", "map_index": 0, "state": "failed"},
            {"task_id": "escalate_violations", "map_index": 1, "state": "failed"},
        ],
        xcom_pull=lambda task_ids, key, map_indexes: key == TOLD and told[task_ids, map_indexes],
    )
    task = CompleteRunOperator(task_id="complete")
    with pytest.raises(AirflowFailException, match="This run failed in escalate_violations: see the log of each"):
        type(task).execute.__wrapped__(task, {"ti": ti})
    [post] = slack.posts
    assert "The task escalate_violations (shard 1) of hoa_violation_escalation failed." in shown(post)
    assert f"> {NO_ERROR}" in shown(post)
    assert len(mail.messages) == 1


def test_late_run_is_reported_the_way_the_triggerer_does_it(slack, mail, pager):
    async def run(alert):
        context = {
            "dag_run": {
                "dag_run_id": "manual__2025-10-29T06:00:00+00:00",
                "state": "running",
                "queued_at": "2025-10-29T06:00:00Z",
            },
            "deadline": {"id": "1"},
        }
        trigger = CallbackTrigger(alert.callback.path, {**alert.callback.kwargs, "context": context})
        return [event.payload["state"] async for event in trigger.run()]

    for alert in deadline_alerts(DAG_ID, 30):
        assert asyncio.run(run(alert))[-1] == "success"
    [post], [message], [body] = slack.posts, mail.messages, bodies(mail)
    assert shown(post)[:8] == [
        ":hourglass: Late: hoa_violation_escalation",
        "A run of hoa_violation_escalation has not succeeded within 30 minutes.",
        "*Run*",
        "manual__2025-10-29T06:00:00+00:00",
        "*State*",
        "running",
        "*Queued at*",
        "2025-10-29T06:00:00Z",
    ]
    assert shown(post)[-1].endswith("/runs/manual__2025-10-29T06%3A00%3A00%2B00%3A00|Open the run>")
    assert pager.posts[0]["title"] == "Late: hoa_violation_escalation"
    assert pager.posts[0]["message"].endswith("/runs/manual__2025-10-29T06%3A00%3A00%2B00%3A00")
    assert message["Subject"] == "Late: hoa_violation_escalation"
    assert "manual__2025-10-29T06:00:00+00:00" in body
    assert "{{" not in body + json.dumps([*slack.posts, *pager.posts])


def test_apprise_service_gets_a_message_that_fits_a_phone(slack, mail, pager):
    fail(TaskInstance(), HoaOpsError("1 association(s) could not be posted:\n  Maple Court: no account 1200"))
    [told] = pager.posts
    assert told["title"] == "Failed: escalate_violations of hoa_violation_escalation"
    assert told["type"] == "failure"
    assert told["message"].splitlines() == [
        "The task escalate_violations of hoa_violation_escalation failed.",
        "1 association(s) could not be posted:",
        f"{run_url(DAG_ID, 'manual__1')}/tasks/escalate_violations",
    ]
    assert len(slack.posts) == len(mail.messages) == 1


def test_failure_that_only_apprise_took_counts_as_reported(slack, mail, pager):
    slack.status = 500
    mail.script = lambda _command: "550 5.7.1 no"
    ti = TaskInstance()
    fail(ti, HoaOpsError("first"))
    assert len(pager.posts) == 1
    assert ti.xcoms == {TOLD: True}


def test_apprise_service_that_refuses_does_not_count_as_alerted(slack, mail, pager, caplog):
    slack.status = pager.status = 500
    mail.script = lambda _command: "550 5.7.1 no"
    ti = TaskInstance()
    fail(ti, HoaOpsError("first"))
    assert ti.xcoms == {}
    assert "The alert did not reach Apprise (AlertRefusedError): check its Connection" in caplog.text


def test_missing_provider_does_not_silence_the_other_channels(slack, mail, pager, monkeypatch, caplog):
    monkeypatch.setitem(sys.modules, "airflow.providers.apprise.notifications.apprise", None)
    fail(TaskInstance(), HoaOpsError("first"))
    assert len(slack.posts) == len(mail.messages) == 1
    assert "Alerts cannot go to Apprise: its Airflow provider is not installed" in caplog.text
    # Nor are the DAGs lost for it.
    assert len(deadline_alerts(DAG_ID, 30)) == 2


def test_alert_of_a_task_without_retries_mentions_none(slack, mail):
    fail(TaskInstance("check_params", try_number=1), AirflowFailException("This run was refused."))
    assert "1, not retried" in shown(slack.posts[0])
    assert "at most" not in "".join([*shown(slack.posts[0]), *bodies(mail)])
