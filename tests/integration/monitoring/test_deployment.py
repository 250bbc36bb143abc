"""`check-deployment` says before the first run what would fail in it, and what to do about it."""

import re
import sys

import psycopg
import pytest

from devstack.mail_sink import MailSink
from devstack.slack_sink import SlackSink
from hoa_ops.cli.main import main
from hoa_ops.settings import get_settings
from tests.support.association import AssociationsDatabase
from tests.support.database import OWNER, PASSWORD, WORKER, prepare
from tests.support.slack import shown

DATABASE = "deployment"


@pytest.fixture(scope="module")
def deployed(postgres):
    """A database that was made as a deployment makes it, and is closed to everybody else."""
    prepare(postgres, DATABASE)
    with AssociationsDatabase(
        postgres.dsn(DATABASE, OWNER, PASSWORD), postgres.dsn(DATABASE, WORKER, PASSWORD)
    ) as associations:
        associations.association()
        yield associations


@pytest.fixture
def mail(tmp_path):
    with MailSink(tmp_path / "mail") as sink:
        yield sink


@pytest.fixture
def slack():
    with SlackSink() as sink:
        yield sink


@pytest.fixture
def check(deployed, mail, slack, monkeypatch, capsys):
    """Runs the command on a deployment where all is well, except for what a test has changed."""
    monkeypatch.setenv("AIRFLOW_CONN_HOA_OPS_DB", deployed.worker_dsn)
    monkeypatch.setenv("AIRFLOW_CONN_HOA_OPS_SMTP", mail.connection)
    monkeypatch.setenv("AIRFLOW_CONN_HOA_OPS_SLACK", slack.connection)
    monkeypatch.setenv("AIRFLOW__HOA_OPS__ALERT_SLACK_CONN_ID", "hoa_ops_slack")
    monkeypatch.setenv("AIRFLOW__HOA_OPS__ALERT_EMAIL", "operations@example.com")
    get_settings.cache_clear()

    def run(*arguments):
        status = main(["check-deployment", *arguments])
        return status, capsys.readouterr().out.splitlines()

    yield run
    get_settings.cache_clear()


def faults(outcome):
    status, lines = outcome
    assert status == 1
    return [line for line in lines if not line.startswith("✓")]


def test_healthy_deployment_passes(check, mail, slack):
    status, lines = check()
    assert status == 0
    assert [line.split(":")[0] for line in lines] == [
        "✓ settings", "✓ database", "✓ role", "✓ associations", "✓ jobs", "✓ mail", "✓ alerts",
    ]  # fmt: skip
    assert re.search(r"tables at version \d{4}$", lines[1])
    assert "1 of 1 active" in lines[3]
    assert mail.messages == []
    assert slack.posts == []


def test_test_mail_and_test_alert_arrive_when_asked_for(check, mail, slack):
    status, lines = check("--send-mail-to", "clerk@example.com", "--send-alert")
    assert status == 0
    assert lines[-2:] == [
        "✓ mail: the mail server accepted a test message: check that it arrives at clerk@example.com",
        "✓ alerts: Slack and e-mail accepted a test alert: check that it arrives",
    ]
    test_mail, alert = mail.messages
    assert (test_mail["To"], test_mail["Subject"]) == ("clerk@example.com", "Test message")
    assert (alert["To"], alert["Subject"]) == ("operations@example.com", "Test alert")
    assert "No action is needed" in shown(slack.posts[0])[-1]


def test_schema_owner_in_the_connection_is_a_fault(check, deployed, monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_HOA_OPS_DB", deployed.owner_dsn)
    told = "\n".join(faults(check()))
    assert "it owns hoa.journal_entries: the jobs must connect as a role that owns nothing" in told
    assert "it has DELETE, REFERENCES, TRIGGER, TRUNCATE on hoa_ops.outbox" in told
    assert "it can create schemas in the database" in told
    assert "it can create tables in the schema hoa:" in told
    assert "it can update hoa.journal_entry_lines" in told


@pytest.mark.parametrize(
    ("grant", "revoke", "fault"),
    [
        ("GRANT TEMPORARY ON DATABASE deployment TO {role}", "REVOKE TEMPORARY ON DATABASE deployment FROM {role}",
         "it can create temporary tables in the database"),
        ("GRANT DELETE ON hoa.units TO {role}", "REVOKE DELETE ON hoa.units FROM {role}",
         "it has DELETE on hoa.units: run `python -m hoa_ops grant` again"),
        ("GRANT UPDATE (debit) ON hoa.journal_entry_lines TO {role}",
         "REVOKE UPDATE (debit) ON hoa.journal_entry_lines FROM {role}", "it can update hoa.journal_entry_lines"),
        ("REVOKE INSERT ON hoa_ops.outbox FROM {role}", "GRANT INSERT ON hoa_ops.outbox TO {role}",
         "it lacks INSERT on hoa_ops.outbox: run `python -m hoa_ops grant`"),
        ("REVOKE SELECT ON hoa.owners FROM {role}", "GRANT SELECT ON hoa.owners TO {role}",
         "it lacks SELECT on hoa.owners"),
        ("REVOKE EXECUTE ON FUNCTION hoa_ops.posting_account FROM {role}",
         "GRANT EXECUTE ON FUNCTION hoa_ops.posting_account TO {role}",
         "it lacks EXECUTE on the function hoa_ops.posting_account: run `python -m hoa_ops grant`"),
        ("CREATE TABLE public.payroll (); GRANT SELECT ON public.payroll TO {role}", "DROP TABLE public.payroll",
         "it can read public.payroll, which the jobs do not need: REVOKE SELECT ON public.payroll FROM PUBLIC, hoa"),
    ],
)  # fmt: skip
def test_every_missing_or_extra_right_is_named(check, postgres, grant, revoke, fault):
    with psycopg.connect(postgres.dsn(DATABASE), autocommit=True) as server:
        server.execute(grant.format(role=WORKER))
        try:
            told = faults(check())
        finally:
            server.execute(revoke.format(role=WORKER))
    assert len(told) == 1
    assert fault in told[0]


@pytest.mark.parametrize("attribute", ["CREATEDB", "CREATEROLE", "SUPERUSER"])
def test_superuser_in_the_connection_is_a_fault(check, postgres, attribute):
    with psycopg.connect(postgres.dsn(DATABASE), autocommit=True) as server:
        server.execute(f"ALTER ROLE {WORKER} {attribute}")
        try:
            told = faults(check())
        finally:
            server.execute(f"ALTER ROLE {WORKER} NO{attribute}")
    assert f"it has {attribute}: ALTER ROLE {WORKER} NO{attribute}" in "\n".join(told)


def test_missing_tables_are_named_with_the_command_that_creates_them(check, postgres, monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_HOA_OPS_DB", postgres.dsn("postgres", WORKER, PASSWORD))
    assert re.search(
        "✗ database: the database has no tables of this package: run `python -m hoa_ops migrate`", faults(check())[0]
    )


def test_database_down_and_connection_missing_are_told_apart(check, monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_HOA_OPS_DB", f"postgresql://{WORKER}:{PASSWORD}@127.0.0.1:1/{DATABASE}")
    assert "cannot be reached or went away" in faults(check())[0]
    monkeypatch.setenv("AIRFLOW__HOA_OPS__DATABASE_CONN_ID", "nowhere")
    get_settings.cache_clear()
    assert "there is no Airflow Connection 'nowhere'" in faults(check())[0]


def test_no_active_association_is_a_fault(check, deployed):
    deployed.run("UPDATE tenants SET status = 'inactive'")
    try:
        assert "none of the 1 in this database is active" in faults(check())[0]
    finally:
        deployed.run("UPDATE tenants SET status = 'active'")


def test_mail_server_that_is_down_or_refuses_the_test_mail_is_a_fault(check, mail):
    mail.script = lambda command: "550 5.1.1 No such user" if command.verb == "RCPT" else None
    assert "did not accept the test message: 550" in faults(check("--send-mail-to", "nobody@example.com"))[0]
    mail.stop()
    assert "cannot be used (ConnectionRefusedError)" in faults(check())[0]
    mail.start()


def test_alerts_that_go_nowhere_or_do_not_arrive_are_a_fault(check, slack, monkeypatch):
    slack.status = 500
    assert "✗ alerts: the test alert did not reach Slack" in faults(check("--send-alert"))[0]
    monkeypatch.delenv("AIRFLOW__HOA_OPS__ALERT_SLACK_CONN_ID")
    monkeypatch.delenv("AIRFLOW__HOA_OPS__ALERT_EMAIL")
    get_settings.cache_clear()
    assert "✗ alerts: no channel is configured" in faults(check())[0]


def test_channel_whose_provider_is_not_installed_is_a_fault(check, monkeypatch):
    monkeypatch.setitem(sys.modules, "airflow.providers.apprise.notifications.apprise", None)
    monkeypatch.setenv("AIRFLOW__HOA_OPS__ALERT_APPRISE_CONN_ID", "pager")
    get_settings.cache_clear()
    assert "✗ alerts: the Airflow provider for Apprise is not installed" in faults(check())[0]
