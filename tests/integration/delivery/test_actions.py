"""What people do to messages, and the one alarm for many of them."""

import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from devstack.slack_sink import SlackSink
from hoa_ops.cli.main import main
from hoa_ops.database import Database
from hoa_ops.monitoring.alerts.stuck_mail import raise_alarm
from hoa_ops.settings import get_settings
from tests.support.slack import shown

SIGNED = ["--who", "Pat Lee", "--why", "spoke with the owner"]


@pytest.fixture
def message(maple):
    def queue(**values):
        return maple.insert(
            "outbox",
            **{"kind": "payment_reminder", "channel": "email", "sender_name": "Maple", "recipient_name": "Jane Roe"}
            | {"reference_id": uuid4(), "recipient_id": uuid4(), "recipient_address": "jane@example.com"}
            | {"subject": "Reminder", "text_body": "You owe $5.", "html_body": "", "attempts": 8}
            | values,
        )["id"]

    return queue


def states(database):
    return [row["state"] for row in database.rows("SELECT state FROM outbox ORDER BY id")]


def actions(database):
    rows = database.rows("SELECT action, from_state, acted_by, reason FROM outbox_actions ORDER BY id")
    return [tuple(row.values()) for row in rows]


def test_list_shows_unfinished_messages_without_names(database, message, capsys):
    message(state="failed")
    message(channel="letter")
    message(state="sent")
    assert main(["outbox", "list"]) == 0
    listed = capsys.readouterr().out
    assert "failed     email" in listed
    assert "pending    letter" in listed
    assert listed.endswith("2 message(s)\n")
    assert "Jane" not in listed
    main(["outbox", "list", "--state", "failed", "--tenant", "maple-court"])
    assert capsys.readouterr().out.endswith("1 message(s)\n")
    database.association("other-oaks")
    main(["outbox", "list", "--tenant", "other-oaks"])
    assert capsys.readouterr().out == "0 message(s)\n"


def test_show_prints_the_message_and_its_actions(message, capsys):
    failed = message(state="failed", last_response="550 no such user")
    main(["outbox", "requeue", str(failed), *SIGNED])
    capsys.readouterr()
    assert main(["outbox", "show", str(failed)]) == 0
    shown = capsys.readouterr().out
    for fact in ("jane@example.com", "550 no such user", "You owe $5.", "requeue by Pat Lee", "spoke with the owner"):
        assert fact in shown
    assert main(["outbox", "show", str(uuid4())]) == 1
    assert "there is no message" in capsys.readouterr().err


def test_requeue_gives_a_message_all_its_tries_again(database, message):
    failed, uncertain = message(state="failed", finished_at=datetime.now(UTC)), message(state="uncertain")
    assert main(["outbox", "requeue", str(failed), str(uncertain), *SIGNED]) == 0
    assert (
        database.rows("SELECT state, attempts, finished_at, handed_over_at FROM outbox")
        == [{"state": "pending", "attempts": 0, "finished_at": None, "handed_over_at": None}] * 2
    )
    assert actions(database) == [
        ("requeue", "failed", "Pat Lee", "spoke with the owner"),
        ("requeue", "uncertain", "Pat Lee", "spoke with the owner"),
    ]


@pytest.mark.parametrize(
    ("action", "state", "channel", "becomes"),
    [
        ("cancel", "pending", "email", "canceled"),
        ("cancel", "pending", "letter", "canceled"),
        ("cancel", "failed", "email", "canceled"),
        ("mailed", "pending", "letter", "sent"),
        ("mailed", "failed", "email", "sent"),
        ("mailed", "uncertain", "email", "sent"),
    ],
)
def test_repeated_action_is_done_once(database, message, capsys, action, state, channel, becomes):
    queued = message(state=state, channel=channel)
    assert main(["outbox", action, str(queued), *SIGNED]) == 0
    assert f"1 message(s) now {becomes}, 0 already were" in capsys.readouterr().out
    assert main(["outbox", action, str(queued), *SIGNED]) == 0
    assert f"0 message(s) now {becomes}, 1 already were" in capsys.readouterr().out
    assert states(database) == [becomes]
    assert len(actions(database)) == 1


@pytest.mark.parametrize(
    ("action", "state", "channel"),
    [
        ("requeue", "sent", "email"),
        ("requeue", "sending", "email"),
        ("cancel", "sending", "email"),
        ("cancel", "sent", "email"),
        ("mailed", "pending", "email"),
        ("mailed", "canceled", "letter"),
    ],
)
def test_action_that_is_not_allowed_changes_nothing(database, message, capsys, action, state, channel):
    good = {"requeue": "failed", "cancel": "failed", "mailed": "failed"}[action]
    ids = [str(message(state=good)), str(message(state=state, channel=channel))]
    assert main(["outbox", action, *ids, *SIGNED]) == 1
    assert f"message {ids[1]} is {state}" in capsys.readouterr().err
    assert states(database) == [good, state]
    assert actions(database) == []


def test_missing_message_is_named(database, message, capsys):
    failed, unknown = message(state="failed"), uuid4()
    assert main(["outbox", "cancel", str(failed), str(unknown), *SIGNED]) == 1
    assert f"there is no message {unknown}" in capsys.readouterr().err
    assert states(database) == ["failed"]


def test_who_and_why_are_required(message, capsys):
    with pytest.raises(SystemExit):
        main(["outbox", "cancel", str(message()), "--who", "Pat Lee"])
    with pytest.raises(SystemExit):
        main(["outbox", "cancel", str(message()), "--who", " ", "--why", "because"])
    assert "must not be empty" in capsys.readouterr().err


@pytest.fixture
def slack(monkeypatch):
    with SlackSink() as sink:
        monkeypatch.setenv("AIRFLOW_CONN_SLACK", sink.connection)
        monkeypatch.setenv("AIRFLOW__HOA_OPS__ALERT_SLACK_CONN_ID", "slack")
        get_settings.cache_clear()
        yield sink
    monkeypatch.undo()
    get_settings.cache_clear()


def look():
    with Database(get_settings().database_conn_id) as connected:
        raise_alarm(connected)


def test_one_alarm_for_many_messages_and_again_only_when_it_gets_worse(database, message, slack):
    look()
    assert slack.posts == []
    for _ in range(30):
        message(state="failed", finished_at=datetime(2025, 11, 1, tzinfo=UTC))
    look()
    look()
    [alarm] = slack.posts
    assert shown(alarm)[:2] == [
        ":red_circle: Mail is stuck in the outbox",
        "30 messages could not be delivered.",
    ]
    assert "Maple" not in json.dumps(alarm)

    database.run("UPDATE outbox SET state = 'canceled' WHERE id IN (SELECT id FROM outbox LIMIT 10)")
    look()
    assert len(slack.posts) == 1
    message(state="failed", finished_at=datetime(2025, 11, 2, tzinfo=UTC))
    look()
    look()
    assert "21 messages could not be delivered" in shown(slack.posts[1])[1]
    assert len(slack.posts) == 2


def test_mail_waiting_past_its_limit_raises_an_alarm(message, slack):
    message(created_at=datetime.now(UTC) - timedelta(hours=3))
    look()
    assert slack.posts == []
    message(created_at=datetime.now(UTC) - timedelta(hours=5))
    look()
    look()
    [post] = slack.posts
    assert shown(post)[1] == "1 message did not go out in time."


def test_alarm_that_slack_did_not_take_is_raised_later(message, slack, caplog):
    message(state="failed", finished_at=datetime.now(UTC))
    slack.status = 500
    look()
    assert slack.posts == []
    slack.status = 200
    look()
    assert len(slack.posts) == 1


def test_delivery_task_raises_the_alarm_even_when_the_mail_server_is_down(database, message, slack, jobs, monkeypatch):
    message(created_at=datetime.now(UTC) - timedelta(hours=5), attempts=0)
    nowhere = {"conn_type": "smtp", "host": "127.0.0.1", "port": 1}
    nowhere["extra"] = {"disable_ssl": True, "disable_tls": True, "retry_limit": 1, "from_email": "a@example.com"}
    monkeypatch.setenv("AIRFLOW_CONN_HOA_OPS_SMTP", json.dumps(nowhere))
    with pytest.raises(Exception, match="cannot be used"):
        jobs.run("hoa_violation_escalation", "deliver_messages", on=datetime.now(UTC))
    assert len(slack.posts) == 1
    assert states(database) == ["pending"]


def test_without_slack_stuck_mail_goes_to_another_channel_but_not_to_mail(message, slack, monkeypatch):
    message(state="uncertain", finished_at=datetime.now(UTC))
    monkeypatch.setenv("AIRFLOW__HOA_OPS__ALERT_SLACK_CONN_ID", "")
    monkeypatch.setenv("AIRFLOW__HOA_OPS__ALERT_EMAIL", "ops@hoa.example")
    get_settings.cache_clear()
    look()
    assert slack.posts == []
    monkeypatch.setenv("AIRFLOW_CONN_PAGER", slack.apprise_connection)
    monkeypatch.setenv("AIRFLOW__HOA_OPS__ALERT_APPRISE_CONN_ID", "pager")
    get_settings.cache_clear()
    look()
    [told] = slack.posts
    assert (told["title"], told["message"]) == (
        "Mail is stuck in the outbox",
        "1 message may or may not have arrived.",
    )
