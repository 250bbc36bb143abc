"""Names and addresses are in the outbox and in the mails, and nowhere else: neither in logs nor XCom nor errors."""

import json
import logging
import traceback
from datetime import date, datetime, time, timedelta
from types import SimpleNamespace

import pytest
import structlog

from devstack.mail_sink import HANG_UP, MailSink
from tests.support.job_runner import ZONE, load_dag

TODAY = date(2025, 10, 29)
JOBS = {
    "hoa_violation_escalation": ["escalate_violations"],
    "hoa_budget_variance": ["check_budget_variances"],
    "hoa_monthly_billing": ["generate_invoices", "assess_late_fees", "send_reminders"],
}
NAME, EMAIL, ADDRESS = "Xanthippe Kanarienvogel", "yellow.feather@canary.example", "77 Birdcage Lane"
TREASURER, TREASURER_EMAIL = "Quaestor Numismaticus", "quaestor@canary.example"
SECRET = "open-sesame-42"
# Each for itself, since half a name is personal as well.
CANARIES = ["xanthippe", "kanarienvogel", "yellow.feather", "canary.example", "birdcage", "quaestor", "numismaticus"]


@pytest.fixture
def sink(tmp_path, monkeypatch):
    with MailSink(tmp_path / "mail") as mail_sink:
        monkeypatch.setenv("AIRFLOW_CONN_HOA_OPS_SMTP", mail_sink.connection)
        yield mail_sink


@pytest.fixture
def maple(database):
    """An association of one canary by e-mail and one by letter, in which every job has something to do."""
    maple = database.association()
    parking = maple.violation_type()
    for number, preference in (("101", None), ("102", "letter")):
        owner = maple.owner(NAME, email=EMAIL if preference is None else f"post.{EMAIL}")
        database.run("UPDATE owners SET postal_address = %s", ADDRESS)
        if preference:
            maple.insert("notification_preferences", owner_id=owner["id"], channel=preference)
        unit = maple.unit(number, owner=owner)
        maple.violation(unit, parking, cure_deadline=TODAY - timedelta(days=30), number=f"V-{number}")
        maple.invoice(unit, owner, "250.00", on=date(2025, 9, 1))
    maple.insert("late_fee_rules", fee_type="flat", flat_amount=25, grace_days=5, effective_from=date(2025, 1, 1))
    maple.insert("contacts", role="treasurer", full_name=TREASURER, email=TREASURER_EMAIL)
    maple.budget_line(maple.budget(), "5100", "100.00")
    maple.journal(date(2025, 3, 1), "5100", "1000", "500.00")
    return maple


class Ear:
    """Hears all that a task says, in whatever way."""

    def __init__(self, jobs, caplog, capfd):
        self.heard: list[str] = []
        self.raised: list[Exception] = []
        self._jobs, self._caplog, self._capfd = jobs, caplog, capfd

    def run(self, dag_id, task_id, **params):
        try:
            outcome = self._jobs.run(dag_id, task_id, on=TODAY, **params)
            self.heard.append(json.dumps(outcome.returned, default=repr))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is heard
            self.raised.append(error)
            self.heard += [str(error), repr(error), repr(error.args), *traceback.format_exception(error)]
            # As Airflow writes it into the task's log.
            transform = structlog.tracebacks.ExceptionDictTransformer(use_rich=False, show_locals=False)
            self.heard.append(json.dumps(transform((type(error), error, error.__traceback__)), default=repr))
        finally:
            self.heard += self._jobs.last.log
            self.heard += [record.getMessage() for record in self._caplog.records]
            self.heard += [record.exc_text or "" for record in self._caplog.records]
            self.heard += self._capfd.readouterr()

    def run_all(self, **params):
        """Run every task of every DAG, in order."""
        for dag_id, job_ids in JOBS.items():
            self.run(dag_id, "check_params", **params)
            for job_id in job_ids:
                choice = {"job": job_id} if dag_id == "hoa_monthly_billing" else {}
                self.run(dag_id, job_id, **params, **choice)
            self.run(dag_id, "deliver_messages", **params)
            self.run(dag_id, "report", **params)

    def __contains__(self, word):
        return any(word in text.lower() for text in self.heard)


@pytest.fixture
def ear(jobs, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    # The mail server of the tests runs in this process and logs whom it is told of.
    logging.getLogger("mail.log").disabled = True
    logging.getLogger("mail.debug").disabled = True
    yield Ear(jobs, caplog, capfd)
    logging.getLogger("mail.log").disabled = False
    logging.getLogger("mail.debug").disabled = False


def records(database):
    """Everything that the package's tables hold, the outbox apart, as text."""
    tables = database.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'hoa_ops' AND tablename <> 'outbox'")
    assert {"runs", "run_tenants"} <= {table["tablename"] for table in tables}
    return {
        table["tablename"]: str(database.rows(f"SELECT * FROM hoa_ops.{table['tablename']}")).lower()
        for table in tables
    }


def leaks(ear, database):
    spoken = [canary for canary in CANARIES if canary in ear]
    kept = [(table, canary) for table, text in records(database).items() for canary in CANARIES if canary in text]
    return spoken + kept


def test_dry_and_live_runs_of_every_task_reveal_no_names(database, ear, sink, maple):
    ear.run_all(dry_run=True)
    ear.run_all()
    assert [type(error).__name__ for error in ear.raised if "Skip" not in type(error).__name__] == []
    assert leaks(ear, database) == []
    # The same search finds them where they belong, and the ear heard what the runs had to say.
    outbox = str(database.rows("SELECT * FROM outbox")).lower()
    assert [canary for canary in CANARIES if canary not in outbox] == []
    assert database.value("SELECT count(DISTINCT kind) FROM outbox") == 5
    assert EMAIL in str([mail["To"] for mail in sink.messages])
    assert [word for word in ("v-101", "v-102", "landscaping", "$50.00", '"posted": 2') if word not in ear] == []


@pytest.mark.parametrize(
    "sabotage",
    [
        "ALTER TABLE outbox ADD CONSTRAINT sabotage CHECK (subject = '')",
        """
        CREATE FUNCTION sabotage() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'refused' USING ERRCODE = '23514', DETAIL = NEW::text, HINT = NEW.recipient_name; END $$;
        CREATE TRIGGER sabotage BEFORE INSERT ON outbox FOR EACH ROW EXECUTE FUNCTION sabotage()
        """,
        """
        CREATE FUNCTION sabotage() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'no mail to %% (%%)', NEW.recipient_name, NEW.recipient_address; END $$;
        CREATE TRIGGER sabotage BEFORE INSERT ON outbox FOR EACH ROW EXECUTE FUNCTION sabotage()
        """,
        """
        CREATE FUNCTION sabotage() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN PERFORM (NEW.recipient_name || NEW.recipient_address)::integer; RETURN NEW; END $$;
        CREATE TRIGGER sabotage BEFORE INSERT ON outbox FOR EACH ROW EXECUTE FUNCTION sabotage()
        """,
    ],
    ids=["constraint", "detail of a trigger", "message of a trigger", "value that does not fit"],
)
def test_database_error_reveals_no_names(database, ear, sink, maple, sabotage):
    database.run(sabotage)
    ear.run_all()
    failed = [error for error in ear.raised if "could not be" in str(error)]
    assert len(failed) == 5, ear.raised
    assert leaks(ear, database) == []
    assert database.value("SELECT count(*) FROM run_tenants WHERE error IS NOT NULL") == 5
    assert database.value("SELECT count(*) FROM outbox") == 0


def refuse(verb, answer):
    return lambda command: answer.format(command.recipient) if command.verb == verb else None


@pytest.mark.parametrize(
    "script",
    [
        refuse("RCPT", "550 5.1.1 <{}>: no such user"),
        refuse("RCPT", "450 4.2.1 <{}>: greylisted"),
        refuse("RCPT", "421 4.3.2 <{}>: shutting down"),
        refuse("DATA", "554 5.7.1 <{}> does not want this"),
        refuse("MAIL", f"550 5.7.1 You may not write to {EMAIL}"),
        refuse("RCPT", HANG_UP),
        refuse("DATA", HANG_UP),
    ],
    ids=["no user", "greylisted", "shutting down", "unwanted", "sender refused", "cut before", "cut after"],
)
def test_refusal_by_the_mail_server_reveals_no_names(database, ear, sink, maple, script):
    ear.run("hoa_violation_escalation", "escalate_violations")
    sink.script = script
    ear.run("hoa_violation_escalation", "deliver_messages")
    ear.run("hoa_violation_escalation", "report")
    assert database.value("SELECT count(*) FROM outbox WHERE state = 'sent'") == 0
    assert leaks(ear, database) == []


def test_message_that_cannot_be_composed_reveals_no_names(database, ear, sink, maple):
    ear.run("hoa_violation_escalation", "escalate_violations")
    database.run("UPDATE outbox SET recipient_name = recipient_name || E'\\r\\nBcc: x' WHERE channel = 'email'")
    ear.run("hoa_violation_escalation", "deliver_messages")
    database.run(
        "UPDATE outbox SET recipient_name = 'x', recipient_address = %s, state = 'pending' WHERE channel = 'email'",
        "yellow.feather@",
    )
    ear.run("hoa_violation_escalation", "deliver_messages")
    assert database.value("SELECT count(*) FROM outbox WHERE state = 'failed'") == 1
    assert leaks(ear, database) == []


def test_passwords_are_not_revealed(database, ear, sink, maple, monkeypatch):
    ear.run("hoa_violation_escalation", "escalate_violations")
    sink.credentials = ("hoa", "another")
    connection = json.loads(sink.connection) | {"login": "hoa", "password": SECRET}
    monkeypatch.setenv("AIRFLOW_CONN_HOA_OPS_SMTP", json.dumps(connection))
    ear.run("hoa_violation_escalation", "deliver_messages")
    for dsn in ("postgresql://hoa_ops_worker:{}@127.0.0.1:9/hoa", database.worker_dsn.replace(":secret@", ":{}@")):
        monkeypatch.setenv("AIRFLOW_CONN_HOA_OPS_DB", dsn.format(SECRET))
        ear.run_all()
    assert len(ear.raised) > 20
    assert SECRET not in ear


@pytest.mark.parametrize("dag_id", JOBS)
def test_rendered_fields_hold_only_sql(database, maple, dag_id):
    dag = load_dag(dag_id)
    moment = datetime.combine(TODAY, time(12), tzinfo=ZONE)
    rendered = []
    for task in dag.tasks:
        copy = task.prepare_for_execution()
        context = {
            "params": {name: dag.params[name] for name in dag.params},
            "dag_run": SimpleNamespace(run_id="r", dag_id=dag_id, logical_date=moment, run_after=moment, conf={}),
        }
        copy.render_template_fields(context, copy.get_template_env(dag))
        rendered += [str(getattr(copy, field)) for field in copy.template_fields]
    text = "\n".join(rendered).lower()
    assert "with planned as materialized" in text
    assert [canary for canary in CANARIES if canary in text] == []
