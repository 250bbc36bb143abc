"""Killed at any message between a job and PostgreSQL, and tried again, every job posts what it would have posted."""

import os
import signal
from collections import Counter

import psycopg
import pytest

from devstack.mail_sink import MailSink
from devstack.waiting import wait_until
from tests.proof.conftest import BUSY, MOMENTS
from tests.support.database import OWNER, PASSWORD, WORKER
from tests.support.job_process import finish, start_delivery, start_job
from tests.support.picture import picture
from tests.support.wire import WireTap, turns

UNENCRYPTED = "sslmode=disable&gssencmode=disable"
SHORT = 4
"""How many moments of a job the short form tries; the long form tries every one."""


def through(tap, dsn, server):
    return f"{dsn.replace(f':{server.port}/', f':{tap.port}/')}?{UNENCRYPTED}"


def kill_worker(process, **_):
    """the worker killed (SIGKILL)"""
    os.kill(process.pid, signal.SIGKILL)


def end_backends(name, server, **_):
    """its backend ended (pg_terminate_backend)"""
    with psycopg.connect(server.dsn()) as connection:
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])


def kill_server(server, **_):
    """the whole server killed (SIGKILL), then started again"""
    server.kill()


def nobody_is_left(server, name):
    def gone():
        with psycopg.connect(server.dsn()) as connection:
            return connection.execute("SELECT FROM pg_stat_activity WHERE datname = %s", [name]).fetchone() is None

    wait_until(gone, "the killed process's backend did not end", limit=30, pause=0.01)


def run_through_tap(server, name, dsn, job, *, at=0, victim=None):
    """Run a job, and strike before message ``at``; return its exit status and the tap."""
    with WireTap(server.port, at=at, strike=lambda: victim(process=process, name=name, server=server)) as tap:
        process = start_job(through(tap, dsn, server), job, MOMENTS[job])
        return finish(process), tap


def moments(messages, long, short):
    """The numbers of the messages to strike at: all, or a few, spread over the second half, where it is posted.

    The few keep clear of the very last ones, since the server may say a thing or two less than the last time.
    """
    return range(1, messages + 1) if long else [messages - messages * (2 * n + 1) // (4 * short) for n in range(short)]


@pytest.mark.parametrize("job", MOMENTS)
@pytest.mark.parametrize("victim", [kill_worker, end_backends, kill_server])
def test_job_struck_at_any_message_and_tried_again_posts_the_same(
    server, new_database, owner_dsn, worker_dsn, books_are_in_order, long, proved, job, victim
):
    undisturbed = new_database()
    exit_status, reference = run_through_tap(server, undisturbed, worker_dsn(undisturbed), job)
    assert exit_status == 0
    expected = picture(owner_dsn(undisturbed))
    struck = 0
    for at in moments(reference.messages, long, 1 if victim is kill_server else SHORT):
        name = new_database()
        _, tap = run_through_tap(server, name, worker_dsn(name), job, at=at, victim=victim)
        struck += tap.struck
        server.start()
        nobody_is_left(server, name)
        assert finish(start_job(worker_dsn(name), job, MOMENTS[job])) == 0, f"the retry failed after message {at}"
        assert picture(owner_dsn(name)) == expected, f"struck at message {at} of {reference.messages}"
        books_are_in_order(name)
    assert struck
    proved(
        f"`{job}`: {victim.__doc__} at a message of PostgreSQL's protocol, {reference.messages} in all; then a retry",
        struck,
        "every time the same rows to the cent as undisturbed; the books in order",
    )


# Delivery. ------------------------------------------------------------------------------------------------------

CLAIMS_EXPIRE = "UPDATE hoa_ops.outbox SET claimed_at = claimed_at - interval '1 hour' WHERE state = 'sending'"


@pytest.fixture
def mail(tmp_path):
    """A mail server, and the Connection to it, which a tap may stand in."""
    with MailSink(tmp_path / "mail") as sink:
        yield sink


def connection_to(port):
    extra = {"disable_ssl": True, "disable_tls": True, "from_email": "no-reply@maple.example", "timeout": 5}
    return {"conn_type": "smtp", "host": "127.0.0.1", "port": port, "extra": extra | {"retry_limit": 0}}


@pytest.fixture(scope="module")
def full_outbox(server):
    """A database with messages to deliver."""
    name = "proof_outbox"
    server.create_database(name, owner=OWNER, template=BUSY)
    for job in ("generate_invoices", "escalate_violations"):
        assert finish(start_job(server.dsn(name, WORKER, PASSWORD), job, MOMENTS[job])) == 0
    nobody_is_left(server, name)
    return name


def lose_mail_server(smtp, **_):
    """the mail server gone"""
    smtp.cut()


def arrived(mail):
    return Counter((str(message["To"]), str(message["Subject"])) for message in mail.messages)


def outcome(dsn):
    """The states of all e-mail."""
    with psycopg.connect(dsn) as connection:
        return [state for (state,) in connection.execute("SELECT state FROM hoa_ops.outbox WHERE channel = 'email'")]


@pytest.mark.parametrize(
    ("wire", "victim"),
    [
        ("PostgreSQL", kill_worker),
        ("PostgreSQL", end_backends),
        ("PostgreSQL", kill_server),
        ("PostgreSQL", lose_mail_server),
        ("SMTP", kill_worker),
        ("SMTP", end_backends),
        ("SMTP", lose_mail_server),
    ],
)
def test_delivery_struck_at_any_message_never_sends_one_twice_and_loses_none(
    server, mail, new_database, owner_dsn, worker_dsn, full_outbox, long, proved, wire, victim
):
    def deliver(name, at=0):
        def strike():
            victim(process=process, name=name, server=server, smtp=smtp)

        database_at, mail_at = (at, 0) if wire == "PostgreSQL" else (0, at)
        with (
            WireTap(server.port, at=database_at, strike=strike) as database,
            WireTap(mail.port, split=turns, at=mail_at, strike=strike) as smtp,
        ):
            process = start_delivery(through(database, worker_dsn(name), server), connection_to(smtp.port))
            finish(process)
            return database if wire == "PostgreSQL" else smtp

    messages = deliver(new_database(full_outbox)).messages
    everything = arrived(mail)
    assert len(everything) >= 4
    uncertain, struck = 0, 0
    for at in moments(messages, long, 1 if victim is kill_server else SHORT):
        for file in mail.folder.glob("*"):
            file.unlink()
        name = new_database(full_outbox)
        struck += deliver(name, at=at).struck
        server.start()
        nobody_is_left(server, name)
        with psycopg.connect(owner_dsn(name)) as connection:
            connection.execute(CLAIMS_EXPIRE)
            connection.execute("UPDATE hoa_ops.outbox SET not_before = created_at WHERE state = 'pending'")
        assert finish(start_delivery(worker_dsn(name), connection_to(mail.port))) == 0
        received = arrived(mail)
        states = Counter(outcome(owner_dsn(name)))
        uncertain += states["uncertain"]
        assert states.keys() <= {"sent", "uncertain"}, f"{states} after {at} of {messages}"
        assert all(count <= everything[which] for which, count in received.items()), f"twice, after {at} of {messages}"
        missing = (everything - received).total()
        assert missing <= states["uncertain"] <= 1, f"{missing} lost, {states} after {at} of {messages}"
    assert struck
    proved(
        f"delivery: {victim.__doc__} at a message of {wire}'s protocol, {messages} in all; then a retry",
        struck,
        f"none twice, none lost; in {uncertain} of the trials one message was left uncertain, for a person",
    )
