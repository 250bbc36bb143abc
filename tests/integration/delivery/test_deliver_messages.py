"""What delivery promises: every message ends sent, or in front of a person, and none is sent twice."""

import itertools
import json
import threading
from collections import Counter
from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest
from airflow.sdk.exceptions import AirflowSkipException
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from devstack.mail_sink import HANG_UP, MailSink
from hoa_ops.database import Database
from hoa_ops.delivery import outbox as delivery
from hoa_ops.delivery.mail_server import Answer, MailServer, MailServerError, Verdict
from hoa_ops.delivery.outbox import Delivery, MessagesDeferredError
from hoa_ops.settings import get_settings

TODAY = date(2025, 10, 29)


@pytest.fixture
def sink(tmp_path, monkeypatch):
    with MailSink(tmp_path / "mail") as mail_sink:
        connect(monkeypatch, mail_sink)
        yield mail_sink


@pytest.fixture
def configure(monkeypatch):
    """Give settings other values for one test."""

    def change(**values):
        for name, value in values.items():
            monkeypatch.setenv(f"AIRFLOW__HOA_OPS__{name.upper()}", str(value))
        get_settings.cache_clear()

    yield change
    monkeypatch.undo()
    get_settings.cache_clear()


def connect(monkeypatch, sink, *, login=None, password=None, from_email="no-reply@maple.example"):
    extra = {"disable_ssl": True, "disable_tls": True, "from_email": from_email, "timeout": 5, "retry_limit": 0}
    connection = {"conn_type": "smtp", "host": "127.0.0.1", "port": sink.port, "extra": extra}
    monkeypatch.setenv("AIRFLOW_CONN_HOA_OPS_SMTP", json.dumps(connection | {"login": login, "password": password}))


def message(association, recipient="ann@example.com", **values):
    """Put a message into the outbox, as if a job had."""
    return association.insert(
        "outbox",
        **{
            "kind": "violation_escalation",
            "reference_id": uuid4(),
            "recipient_id": uuid4(),
            "channel": "email",
            "sender_name": f"{association.name} Management",
            "recipient_name": "Ann Owner",
            "recipient_address": recipient,
            "subject": "Violation Escalated",
            "text_body": "Dear Ann Owner",
            "html_body": "<p>Dear Ann Owner</p>",
        }
        | values,
    )


def deliver(jobs, **params):
    return jobs.run("hoa_violation_escalation", "deliver_messages", on=TODAY, **params).returned


def states(database):
    """Return recipient → (state, attempts)."""
    rows = database.rows("SELECT recipient_address, state, attempts FROM outbox")
    return {row["recipient_address"]: (row["state"], row["attempts"]) for row in rows}


def recipients(sink):
    return sorted(address.addr_spec for mail in sink.messages for address in mail["To"].addresses)


def answering(verb, recipient, answer):
    """Answer so to one recipient at one point, and accept everything else."""
    return lambda command: answer if command.verb == verb and recipient in command.recipient else None


def delivery_of(database):
    """A delivery outside of Airflow, to be looked at and led astray; the database is to be entered."""
    return Delivery(database, MailServer("hoa_ops_smtp"), get_settings())


# What arrives. --------------------------------------------------------------------------------------------------


def test_owner_gets_the_message_that_the_escalation_wrote(database, jobs, sink, maple):
    owner = maple.owner('Jörg Müller & Söhne, "The Owners"', email="joerg@example.com")
    maple.violation(maple.unit("101", owner=owner), maple.violation_type(), cure_deadline=TODAY - timedelta(days=1))
    jobs.escalate(on=TODAY)
    assert deliver(jobs) == {"sent": 1}
    [mail] = sink.messages
    [row] = database.rows("SELECT * FROM outbox")
    [sender], [recipient] = mail["From"].addresses, mail["To"].addresses
    assert (sender.display_name, sender.addr_spec) == ("Maple Court Management", "no-reply@maple.example")
    assert (recipient.display_name, recipient.addr_spec) == (owner["full_name"], "joerg@example.com")
    assert mail["Subject"] == "Violation Escalated - Parking"
    assert mail["Message-ID"] == f"<{row['id']}@maple.example>"
    assert mail["Date"].datetime == row["created_at"].replace(microsecond=0)
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
    assert mail.get_body(("plain",)).get_content().replace("\r\n", "\n").strip() == row["text_body"].strip()
    html = mail.get_body(("html",)).get_content()
    assert "Jörg Müller &amp; Söhne" in html
    assert (row["state"], row["last_response"], row["claimed_by"]) == ("sent", "250", None)
    assert row["finished_at"] > row["handed_over_at"] > row["created_at"]


def test_message_keeps_its_message_id_when_retried(database, jobs, sink, maple):
    identifier = message(maple)["id"]
    said = []

    def later(command):
        if command.verb != "DATA":
            return None
        said.append(command.content)
        return "451 4.3.0 Try later" if len(said) == 1 else None

    sink.script = later
    with pytest.raises(MessagesDeferredError):
        deliver(jobs)
    database.run("UPDATE outbox SET not_before = clock_timestamp()")
    deliver(jobs)
    assert [content.count(f"Message-ID: <{identifier}@maple.example>".encode()) for content in said] == [1, 1]
    assert recipients(sink) == ["ann@example.com"]


def test_all_messages_are_sent_over_one_connection(jobs, sink, maple, configure):
    configure(mail_batch_size=2)
    for number in range(5):
        message(maple, f"owner{number}@example.com")
    assert deliver(jobs) == {"sent": 5}
    assert sink.connections == 1
    assert len(recipients(sink)) == 5


def test_mail_server_is_not_needed_when_nothing_is_due(jobs, sink, maple):
    sink.stop()
    message(maple, channel="letter", recipient_address="1 Main Street")
    assert deliver(jobs) == {}


# What does not leave. -------------------------------------------------------------------------------------------


def test_dry_run_sends_nothing(database, jobs, sink, maple):
    message(maple)
    with pytest.raises(AirflowSkipException):
        deliver(jobs, dry_run=True)
    assert sink.connections == 0
    assert states(database) == {"ann@example.com": ("pending", 0)}


@pytest.mark.parametrize("state", ["sent", "uncertain", "failed", "obsolete", "suppressed"])
def test_finished_messages_are_never_sent(database, jobs, sink, maple, state):
    message(maple, state=state)
    assert deliver(jobs) == {}
    assert states(database) == {"ann@example.com": (state, 0)}
    assert sink.messages == []


def test_letters_stay_for_printing(database, jobs, sink, maple):
    message(maple, channel="letter", recipient_address="1 Main Street")
    message(maple, "bob@example.com")
    assert deliver(jobs) == {"sent": 1}
    assert states(database)["1 Main Street"] == ("pending", 0)
    assert recipients(sink) == ["bob@example.com"]


def test_line_break_in_a_header_is_a_dead_letter_and_the_others_are_sent(database, jobs, sink, maple):
    headers = ("recipient_name", "sender_name", "subject")
    breaks = ("Ann\r\nBcc: all@example.com", "Ann\nBcc: all@example.com", "Ann\rBcc: all@example.com")
    for header, evil in itertools.product(headers, breaks):
        message(maple, f"{header}@example.com", **{header: evil})
    message(maple, "bob@example.com")
    assert deliver(jobs) == {"failed": 9, "sent": 1}
    assert recipients(sink) == ["bob@example.com"]
    for row in database.rows("SELECT recipient_address, attempts, last_response FROM outbox WHERE state = 'failed'"):
        header = row["recipient_address"].removesuffix("@example.com")
        assert row["last_response"].endswith(f"{header} has a line break or NUL")
        assert row["attempts"] == 1


def test_invalid_address_is_a_dead_letter_and_the_others_are_sent(database, jobs, sink, maple):
    wrong = ["", "nobody", "ann@", "@example.com", "a@@b.c", "<a@b.c", "a@b.c, d@e.f", "a@b..c", "jörg@example.com"]
    for address in wrong:
        message(maple, address)
    message(maple, "bob@example.com")
    assert deliver(jobs) == {"failed": len(wrong), "sent": 1}
    assert states(database) == dict.fromkeys(wrong, ("failed", 1)) | {"bob@example.com": ("sent", 1)}
    assert recipients(sink) == ["bob@example.com"]


def test_address_that_the_server_cannot_take_is_a_dead_letter(database, jobs, sink, maple, monkeypatch):
    monkeypatch.setattr("smtplib.SMTP.has_extn", lambda _client, option: option.lower() != "smtputf8")
    message(maple, "ann@müller.example")
    message(maple, "bob@example.com")
    assert deliver(jobs) == {"failed": 1, "sent": 1}
    assert states(database)["ann@müller.example"] == ("failed", 1)


def test_payment_reminder_is_sent_only_while_it_is_true(database, jobs, sink, maple):
    run = database.insert(
        "runs", job="send_reminders", dag_run_id="1", as_of=TODAY, run_date=TODAY, options="{}", narrowed=False
    )
    for name in ("paid", "owing"):
        owner = maple.owner(name, email=f"{name}@example.com")
        invoice = maple.invoice(maple.unit(name, owner=owner), owner, "250.00", on=date(2025, 10, 1))
        reminder = maple.insert(
            "payment_reminders",
            owner_id=owner["id"],
            reminded_on=TODAY,
            stage=1,
            stage_name="friendly",
            total_due="250.00",
            days_overdue=28,
            invoice_count=1,
        )
        message(
            maple,
            owner["email"],
            kind="payment_reminder",
            reference_id=reminder["id"],
            recipient_id=owner["id"],
            run_id=run["id"],
        )
        if name == "paid":
            maple.apply(maple.payment(owner, "250.00", on=TODAY), invoice, "250.00", on=TODAY)
    assert deliver(jobs) == {"obsolete": 1, "sent": 1}
    assert recipients(sink) == ["owing@example.com"]
    assert states(database)["paid@example.com"] == ("obsolete", 1)
    assert database.value("SELECT handed_over_at FROM outbox WHERE state = 'obsolete'") is None


# What the server says. ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["RCPT", "DATA"])
@pytest.mark.parametrize("answer", ["450 4.2.1 Greylisted", "421 4.3.2 Shutting down"])
def test_temporary_refusal_defers_one_message_and_the_others_are_sent(database, jobs, sink, maple, verb, answer):
    for name in ("ann", "bob", "cleo"):
        message(maple, f"{name}@example.com")
    sink.script = answering(verb, "bob", answer)
    with pytest.raises(MessagesDeferredError, match=r"^1 message\(s\) were deferred"):
        deliver(jobs)
    assert recipients(sink) == ["ann@example.com", "cleo@example.com"]
    assert states(database)["bob@example.com"] == ("pending", 1)
    [row] = database.rows(
        "SELECT last_response, not_before > clock_timestamp() AS later, handed_over_at, claimed_by "
        "FROM outbox WHERE state = 'pending'"
    )
    assert row == {"last_response": answer, "later": True, "handed_over_at": None, "claimed_by": None}
    # Not yet due: another try neither sends it nor forgets it.
    with pytest.raises(MessagesDeferredError):
        deliver(jobs)
    assert states(database)["bob@example.com"] == ("pending", 1)
    sink.script = lambda _command: None
    database.run("UPDATE outbox SET not_before = clock_timestamp() WHERE state = 'pending'")
    assert deliver(jobs) == {"sent": 1}
    assert recipients(sink) == ["ann@example.com", "bob@example.com", "cleo@example.com"]


def test_message_out_of_attempts_is_a_dead_letter(database, jobs, sink, maple, configure):
    configure(mail_max_attempts=3)
    message(maple)
    sink.script = answering("RCPT", "ann", "450 4.2.1 Try later")
    for attempt in (1, 2):
        with pytest.raises(MessagesDeferredError):
            deliver(jobs)
        assert states(database) == {"ann@example.com": ("pending", attempt)}
        database.run("UPDATE outbox SET not_before = clock_timestamp()")
    assert deliver(jobs) == {"failed": 1}
    assert states(database) == {"ann@example.com": ("failed", 3)}
    assert database.value("SELECT last_response FROM outbox") == "450 4.2.1 Try later"
    assert deliver(jobs) == {}


@pytest.mark.parametrize("verb", ["RCPT", "DATA"])
def test_permanent_refusal_is_a_dead_letter_at_once_and_the_task_succeeds(database, jobs, sink, maple, verb):
    for name in ("ann", "bob", "cleo"):
        message(maple, f"{name}@example.com")
    sink.script = answering(verb, "bob", "550 5.1.1 No such user")
    assert deliver(jobs) == {"sent": 2, "failed": 1}
    assert states(database)["bob@example.com"] == ("failed", 1)
    assert database.value("SELECT last_response FROM outbox WHERE state = 'failed'") == "550 5.1.1 No such user"
    assert recipients(sink) == ["ann@example.com", "cleo@example.com"]
    assert sink.connections == 1


def untouched(database):
    return database.rows(
        "SELECT count(*) FROM outbox WHERE state = 'pending' AND attempts = 0 AND claimed_by IS NULL "
        "AND claimed_at IS NULL AND handed_over_at IS NULL AND not_before <= clock_timestamp()"
    )[0]["count"]


@pytest.mark.parametrize("answer", ["550 5.7.1 Sender not allowed", "451 4.3.0 Try later", "421 4.3.2 Shutting down"])
def test_refused_sender_stops_the_batch_and_blames_no_message(database, jobs, sink, maple, answer):
    for name in ("ann", "bob", "cleo"):
        message(maple, f"{name}@example.com")
    seen = []

    def refuse_second(command):
        seen.append(command.verb)
        return answer if command.verb == "MAIL" and seen.count("MAIL") > 1 else None

    sink.script = refuse_second
    with pytest.raises(MailServerError, match=rf"refuses the sender no-reply@maple\.example \({answer[:3]}\)"):
        deliver(jobs)
    assert len(sink.messages) == 1
    assert seen.count("MAIL") == 2
    assert untouched(database) == 2
    sink.script = lambda _command: None
    assert deliver(jobs) == {"sent": 2}
    assert recipients(sink) == ["ann@example.com", "bob@example.com", "cleo@example.com"]


def test_refused_login_blames_no_message(database, jobs, sink, maple, monkeypatch):
    sink.credentials = ("hoa", "right")
    message(maple)
    connect(monkeypatch, sink, login="hoa", password="wrong")
    with pytest.raises(MailServerError, match="SMTPAuthenticationError") as raised:
        deliver(jobs)
    assert "wrong" not in str(raised.value)
    assert untouched(database) == 1
    connect(monkeypatch, sink, login="hoa", password="right")
    assert deliver(jobs) == {"sent": 1}


def test_server_that_is_down_blames_no_message(database, jobs, sink, maple):
    message(maple)
    sink.stop()
    with pytest.raises(MailServerError, match="ConnectionRefusedError"):
        deliver(jobs)
    assert untouched(database) == 1
    sink.start()
    assert deliver(jobs) == {"sent": 1}


@pytest.mark.parametrize("from_email", [None, "", "nobody", "Maple Court <no-reply@maple.example>"])
def test_connection_without_a_sender_blames_no_message(database, jobs, sink, maple, monkeypatch, from_email):
    message(maple)
    connect(monkeypatch, sink, from_email=from_email)
    with pytest.raises(MailServerError, match="set its “From email”"):
        deliver(jobs)
    assert untouched(database) == 1


def test_missing_connection_blames_no_message(database, jobs, maple, monkeypatch):
    message(maple)
    monkeypatch.delenv("AIRFLOW_CONN_HOA_OPS_SMTP", raising=False)
    with pytest.raises(MailServerError, match="'hoa_ops_smtp' cannot be used"):
        deliver(jobs)
    assert untouched(database) == 1


@pytest.mark.parametrize("verb", ["MAIL", "RCPT"])
def test_connection_broken_before_the_message_defers_it(database, jobs, sink, maple, verb):
    message(maple)
    broken = []

    def hang_up_once(command):
        if command.verb == verb and not broken:
            broken.append(command)
            return HANG_UP
        return None

    sink.script = hang_up_once
    with pytest.raises(MessagesDeferredError):
        deliver(jobs)
    assert states(database) == {"ann@example.com": ("pending", 1)}
    assert "connection lost before DATA" in database.value("SELECT last_response FROM outbox")
    database.run("UPDATE outbox SET not_before = clock_timestamp()")
    assert deliver(jobs) == {"sent": 1}
    assert recipients(sink) == ["ann@example.com"]


def test_connection_broken_after_the_message_makes_it_uncertain_and_never_resent(database, jobs, sink, maple):
    message(maple, "ann@example.com")
    message(maple, "bob@example.com")
    sink.script = answering("DATA", "ann", HANG_UP)
    assert deliver(jobs) == {"uncertain": 1, "sent": 1}
    sink.script = lambda _command: None
    database.run("UPDATE outbox SET not_before = clock_timestamp(), finished_at = finished_at - interval '1 year'")
    assert deliver(jobs) == {}
    assert states(database) == {"ann@example.com": ("uncertain", 1), "bob@example.com": ("sent", 1)}
    assert recipients(sink) == ["ann@example.com", "bob@example.com"]
    assert sink.connections == 2


# Several deliveries, and dead ones. -----------------------------------------------------------------------------


def kill_after_claim(database, *, ago, handed_over):
    """Leave all messages as a delivery that was killed that long ago would have."""
    database.run(
        "UPDATE outbox SET state = 'sending', attempts = attempts + 1, claimed_by = %s, "
        "claimed_at = clock_timestamp() - %s, handed_over_at = CASE WHEN %s THEN clock_timestamp() - %s END",
        *(uuid4(), ago, handed_over, ago),
    )


def test_message_of_a_killed_delivery_is_sent_if_not_handed_over(database, jobs, sink, maple):
    message(maple)
    kill_after_claim(database, ago=timedelta(minutes=16), handed_over=False)
    assert deliver(jobs) == {"sent": 1}
    # The death of a task is no failed attempt of the message.
    assert states(database) == {"ann@example.com": ("sent", 1)}
    assert recipients(sink) == ["ann@example.com"]


def test_message_of_a_killed_delivery_is_uncertain_if_handed_over(database, jobs, sink, maple):
    message(maple)
    kill_after_claim(database, ago=timedelta(minutes=16), handed_over=True)
    assert deliver(jobs) == {"uncertain": 1}
    assert deliver(jobs) == {}
    assert states(database) == {"ann@example.com": ("uncertain", 1)}
    assert "died" in database.value("SELECT last_response FROM outbox")
    assert sink.messages == []


def test_task_retried_soon_after_a_kill_waits_until_the_claim_is_settled(database, jobs, sink, maple, configure):
    message(maple)
    kill_after_claim(database, ago=timedelta(minutes=14), handed_over=False)
    with pytest.raises(MessagesDeferredError, match="claimed by another delivery"):
        deliver(jobs)
    assert states(database)["ann@example.com"] == ("sending", 1)
    assert sink.messages == []
    configure(mail_claim_minutes=13)
    assert deliver(jobs) == {"sent": 1}


def test_two_deliveries_at_once_send_each_message_once(database, jobs, sink, maple, configure):
    configure(mail_batch_size=3, mail_per_minute=100_000)
    expected = [f"owner{number:02}@example.com" for number in range(40)]
    for address in expected:
        message(maple, address)
    start = threading.Barrier(3)
    sent = Counter()
    errors = []

    def run():
        start.wait()
        try:
            sent.update(deliver(type(jobs)()))
        except MessagesDeferredError as error:
            errors.append(error)  # the other one still has its last messages in hand

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert recipients(sink) == expected
    assert set(states(database).values()) == {("sent", 1)}
    assert len(errors) < 3


def test_slow_delivery_that_lost_its_claims_sends_nothing_twice(database, jobs, sink, maple):
    for name in ("ann", "bob"):
        message(maple, f"{name}@example.com")
    with Database("hoa_ops_db") as connection:
        slow = delivery_of(connection)
        batch = slow._claim()
        assert len(batch) == 2
        database.run("UPDATE outbox SET claimed_at = claimed_at - interval '1 hour'")
        assert deliver(jobs) == {"sent": 2}
        slow._deliver(batch)
        slow._server.close()
    assert slow.outcomes == {}
    assert recipients(sink) == ["ann@example.com", "bob@example.com"]
    assert set(states(database).values()) == {("sent", 1)}


def test_slow_delivery_does_not_touch_what_another_delivery_claimed(database, sink, maple):
    message(maple)
    with Database("hoa_ops_db") as first, Database("hoa_ops_db") as second:
        slow, fast = delivery_of(first), delivery_of(second)
        batch = slow._claim()
        database.run("UPDATE outbox SET claimed_at = claimed_at - interval '1 hour'")
        fast._release_dead_claims()
        [taken] = fast._claim()
        assert not slow._hand_over_recorded(batch[0])
        assert fast._hand_over_recorded(taken)
        slow._release(batch)
    assert states(database) == {"ann@example.com": ("sending", 1)}
    assert database.value("SELECT claimed_by FROM outbox") == fast._claimed_by


def test_late_answer_settles_a_message_that_was_given_up_as_uncertain(database, jobs, sink, maple):
    message(maple)

    def wait_for_takeover(command):
        if command.verb == "DATA":
            database.run("UPDATE outbox SET claimed_at = claimed_at - interval '1 hour'")
            with Database("hoa_ops_db") as connection:
                delivery_of(connection).run()
            taken_over.append(states(database)["ann@example.com"][0])

    taken_over: list[str] = []
    sink.script = wait_for_takeover
    assert deliver(jobs) == {"sent": 1}
    assert taken_over == ["uncertain"]
    assert states(database) == {"ann@example.com": ("sent", 1)}
    assert recipients(sink) == ["ann@example.com"]


def test_late_answer_does_not_disturb_the_new_claim(database, sink, maple):
    message(maple)
    with Database("hoa_ops_db") as first, Database("hoa_ops_db") as second:
        slow, fast = delivery_of(first), delivery_of(second)
        [claimed] = slow._claim()
        assert slow._hand_over_recorded(claimed)
        # Taken for uncertain, put back by a person, and claimed by another delivery.
        database.run("UPDATE outbox SET state = 'pending', claimed_by = NULL, handed_over_at = NULL")
        [taken] = fast._claim()
        assert fast._hand_over_recorded(taken)
        slow._record(claimed, Answer(Verdict.DEFERRED, "451 4.3.0 Try later"))
    assert states(database)["ann@example.com"][0] == "sending"


def test_message_is_marked_before_the_hand_over(database, jobs, sink, maple):
    message(maple)
    seen = []
    sink.script = lambda _command: seen.append(database.value("SELECT handed_over_at IS NOT NULL FROM outbox"))
    deliver(jobs)
    assert seen == [True, True, True]


# Pace. ----------------------------------------------------------------------------------------------------------


class Clock:
    """A clock that goes on by sleeping only."""

    def __init__(self):
        self.now = 1000.0

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


def test_rate_limit_spaces_the_messages(database, jobs, sink, maple, configure, monkeypatch):
    configure(mail_per_minute=20, mail_batch_size=2)
    clock = Clock()
    monkeypatch.setattr(delivery, "time", clock)
    for number in range(5):
        message(maple, f"owner{number}@example.com")
    moments = []
    # While the task waits for its turn, no message counts as handed over: it may be killed there.
    waiting = []
    sleep = clock.sleep
    monkeypatch.setattr(
        clock,
        "sleep",
        lambda seconds: (
            sleep(seconds),
            waiting.append(
                database.value("SELECT count(*) FROM outbox WHERE state = 'sending' AND handed_over_at IS NOT NULL")
            ),
        ),
    )
    sink.script = lambda command: moments.append(clock.now) if command.verb == "DATA" else None
    assert deliver(jobs) == {"sent": 5}
    assert [moment - moments[0] for moment in moments] == [0, 3, 6, 9, 12]
    assert waiting == [0] * 5


@given(attempts=st.integers(1, 2000))
@hypothesis_settings(max_examples=50, deadline=None)
def test_delay_grows_with_jitter_up_to_a_limit(attempts):
    expected = min(60 * 2 ** (attempts - 1), 3600)
    assert expected / 2 <= delivery._delay(attempts).total_seconds() <= expected * 1.5


def test_delays_are_spread():
    assert len({delivery._delay(1) for _ in range(20)}) > 1


def test_deferred_message_waits_by_its_attempts(database, jobs, sink, maple):
    message(maple, attempts=3)
    sink.script = answering("RCPT", "ann", "450 4.2.1 Try later")
    with pytest.raises(MessagesDeferredError):
        deliver(jobs)
    wait = database.value("SELECT not_before - clock_timestamp() FROM outbox")
    assert timedelta(minutes=3) < wait <= timedelta(minutes=12)


def test_claims_are_the_oldest_messages(database, sink, maple, configure):
    configure(mail_batch_size=2)
    identifiers: list[UUID] = [message(maple, f"owner{number}@example.com")["id"] for number in range(4)]
    with Database("hoa_ops_db") as connection:
        claimed = delivery_of(connection)._claim()
    assert {row["id"] for row in claimed} == set(identifiers[:2])
