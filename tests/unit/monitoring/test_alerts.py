"""What an alert says, to whom, and what it keeps to itself."""

import re
from pathlib import Path

import pytest
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk.exceptions import AirflowFailException

from hoa_ops.errors import HoaOpsError, SettingsError
from hoa_ops.monitoring.alerts.channels import channels
from hoa_ops.monitoring.alerts.failed_task import LONGEST_ERROR, FailedTask, first_line, tell_of_failure
from hoa_ops.monitoring.alerts.late_run import deadline_alerts
from hoa_ops.monitoring.alerts.runbook import LATE_RUN, STUCK_MAIL, TASK_ADVICE
from hoa_ops.settings import get_settings
from tests.support.job_runner import load_dag
from tests.support.slack import shown

CHECKOUT = Path(__file__).resolve().parents[3]
DAG_IDS = ["hoa_monthly_billing", "hoa_violation_escalation", "hoa_budget_variance"]


@pytest.fixture
def configured(monkeypatch):
    """Sets settings for one test."""

    def configure(**settings):
        for name, value in settings.items():
            monkeypatch.setenv(f"AIRFLOW__HOA_OPS__{name.upper()}", value)
        get_settings.cache_clear()

    yield configure
    monkeypatch.undo()
    get_settings.cache_clear()


def failed(**facts):
    return FailedTask(
        **{
            "dag_id": "hoa_budget_variance",
            "run_id": "manual__2025-10-29T09:00:00+00:00",
            "task_id": "check_budget_variances",
            "map_index": -1,
            "tries": "4 of at most 4",
            "error": "2 association(s) could not be posted and were left unchanged:",
        }
        | facts
    )


WHAT_TO_DO = (
    "*What to do:* Associations that the log lists as failed, and any it did not get to, are unchanged; all others are "
    "done. Fix the cause and clear the task: it does only what is missing."
)
RUN_URL = "http://localhost:8080/dags/hoa_budget_variance/runs/manual__2025-10-29T09%3A00%3A00%2B00%3A00"


def test_slack_message_has_everything_and_nothing_else():
    blocks = failed().alert.slack_blocks
    assert [block["type"] for block in blocks] == ["header", "section", "section", "section", "section"]
    assert shown({"blocks": blocks}) == [
        ":red_circle: Failed: check_budget_variances of hoa_budget_variance",
        "The task check_budget_variances of hoa_budget_variance failed.",
        "> 2 association(s) could not be posted and were left unchanged:",
        "*Run*",
        "manual__2025-10-29T09:00:00+00:00",
        "*Try*",
        "4 of at most 4",
        WHAT_TO_DO,
        "Runbook: docs/runbook.md#a-job-failed",
        f"<{RUN_URL}/tasks/check_budget_variances|Open the log>",
    ]


def test_slack_message_keeps_to_what_slack_takes():
    blocks = failed(error="<" * LONGEST_ERROR, run_id="r" * 250, map_index=63).alert.slack_blocks
    assert len(blocks[0]["text"]["text"]) <= 150
    assert len(blocks) <= 50
    assert all(len(block["text"]["text"]) <= 3000 for block in blocks if "text" in block)
    assert all(len(field["text"]) <= 2000 for block in blocks for field in block.get("fields", []))


def test_text_for_a_phone_says_what_happened_and_where_to_look():
    assert failed(map_index=3).alert.text.splitlines() == [
        "The task check_budget_variances (shard 3) of hoa_budget_variance failed.",
        "2 association(s) could not be posted and were left unchanged:",
        f"{RUN_URL}/tasks/check_budget_variances/mapped/3",
    ]


def test_mail_has_the_same_facts():
    alert = failed(map_index=3).alert
    assert alert.subject == "Failed: check_budget_variances of hoa_budget_variance"
    text = re.sub(r"<[^>]+>", " ", alert.html)
    for fact in (
        "hoa_budget_variance",
        "check_budget_variances",
        "manual__2025-10-29T09:00:00+00:00",
        "4 of at most 4",
    ):
        assert fact in text
    assert "2 association(s) could not be posted" in text
    assert "(shard 3)" in text
    assert f'href="{RUN_URL}/tasks/check_budget_variances/mapped/3"' in alert.html
    assert "docs/runbook.md#a-job-failed" in text


def test_text_of_an_error_stays_text():
    alert = failed(error='<!channel> & <a href="x">{{ ti }}</a>').alert
    on_slack = "\n".join(shown({"blocks": alert.slack_blocks}))
    assert "> &lt;!channel&gt; &amp; &lt;a href=" in on_slack
    assert "&lt;!channel&gt; &amp; &lt;a href=" in alert.html
    assert "{{ ti }}" in on_slack


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (HoaOpsError("1 association(s) failed:\n  Maple Court: John Doe"), "1 association(s) failed:"),
        (AirflowFailException("\nThis run was refused.\nMore"), "This run was refused."),
        (ValueError("odd\nsecond"), "ValueError: odd"),
        (ValueError(), "ValueError"),
        (HoaOpsError(""), "HoaOpsError"),
        ("a plain word\nand more", "a plain word"),
    ],
)
def test_only_the_first_line_of_an_error_is_quoted(error, line):
    assert first_line(error) == line


def test_a_long_line_is_cut():
    line = first_line(HoaOpsError("x" * 1000))
    assert len(line) == LONGEST_ERROR
    assert line.endswith("x…")


def test_every_task_that_can_fail_has_advice():
    tasks = [task for dag_id in DAG_IDS for task in load_dag(dag_id).tasks]
    assert TASK_ADVICE.keys() == {task.task_id for task in tasks if not isinstance(task, EmptyOperator)}


def test_every_advice_links_to_an_existing_runbook_section():
    headings = re.findall(r"^#+ (.*)$", (CHECKOUT / "docs" / "runbook.md").read_text(encoding="utf-8"), re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in headings}
    assert {advice.section for advice in (*TASK_ADVICE.values(), LATE_RUN, STUCK_MAIL)} <= anchors


def test_runbook_is_linked_where_it_is_published(configured):
    configured(runbook_url="https://wiki.example/runbook")
    assert "Runbook: https://wiki.example/runbook#a-job-failed" in shown({"blocks": failed().alert.slack_blocks})


@pytest.mark.parametrize("dag_id", DAG_IDS)
def test_every_task_alerts_when_it_fails(dag_id):
    tasks = {task.task_id: task for task in load_dag(dag_id).tasks}
    # The last task fails because others did, which have sent their alerts.
    assert not tasks.pop("complete").on_failure_callback
    assert all(task.on_failure_callback == [tell_of_failure] for task in tasks.values())


def test_without_a_channel_there_is_no_deadline():
    assert channels(failed().alert) == []
    assert deadline_alerts("hoa_budget_variance", 120) is None


def test_each_configured_channel_has_its_own_deadline(configured):
    configured(
        alert_slack_conn_id="team_slack",
        alert_email="ops@hoa.example, board@hoa.example",
        alert_apprise_conn_id="team_pager",
    )
    to_slack, to_mail, to_apprise = deadline_alerts("hoa_budget_variance", 90)
    assert {alert.interval.total_seconds() for alert in (to_slack, to_mail, to_apprise)} == {90 * 60}
    assert to_slack.callback.kwargs["slack_webhook_conn_id"] == "team_slack"
    said = "A run of hoa_budget_variance has not succeeded within 90 minutes."
    assert said in shown(to_slack.callback.kwargs)
    assert to_mail.callback.kwargs["to"] == "ops@hoa.example, board@hoa.example"
    assert to_mail.callback.kwargs["smtp_conn_id"] == "hoa_ops_smtp"
    assert said in to_mail.callback.kwargs["html_content"]
    assert "docs/runbook.md#a-run-is-late" in to_mail.callback.kwargs["html_content"]
    assert to_apprise.callback.kwargs["apprise_conn_id"] == "team_pager"
    assert said in to_apprise.callback.kwargs["body"]


def test_deadlines_can_be_turned_off(configured):
    configured(alert_slack_conn_id="team_slack", deadlines="False")
    assert deadline_alerts("hoa_budget_variance", 90) is None


def test_invalid_mailbox_is_refused(configured):
    configured(alert_email="ops@hoa.example, nobody")
    with pytest.raises(SettingsError, match="alert_email"):
        get_settings()


def test_retries_are_settings(configured):
    configured(task_retries="1", task_retry_seconds="7")
    load_dag.cache_clear()
    task = load_dag("hoa_budget_variance").get_task("check_budget_variances")
    load_dag.cache_clear()
    assert (task.retries, task.retry_delay.total_seconds()) == (1, 7)
