"""Nothing is posted before somebody goes live, and nothing that was scheduled before that moment."""

from datetime import date, datetime, timedelta

import pytest
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from hoa_ops.__main__ import main
from tests.support.job_runner import ZONE

pytestmark = pytest.mark.usefixtures("books_in_order")

TODAY = date(2025, 10, 29)
SIX = datetime(2025, 10, 29, 6, tzinfo=ZONE)
DAGS = {
    "generate_invoices": "hoa_monthly_billing",
    "assess_late_fees": "hoa_monthly_billing",
    "send_reminders": "hoa_monthly_billing",
    "escalate_violations": "hoa_violation_escalation",
    "check_budget_variances": "hoa_budget_variance",
}


@pytest.fixture
def maple(database):
    """An association for which every job has something to do, in a deployment where nobody went live."""
    database.run("DELETE FROM go_live_decisions")
    maple = database.association()
    unit = maple.unit("101", owner=maple.owner())
    maple.violation(unit, maple.violation_type(), cure_deadline=TODAY - timedelta(days=3))
    return maple


def posted(database):
    return {
        table: database.value(f"SELECT count(*) FROM {table}")
        for table in ("invoices", "journal_entries", "violation_escalations", "outbox", "document_counters")
    }


NOTHING = dict.fromkeys(("invoices", "journal_entries", "violation_escalations", "outbox", "document_counters"), 0)


@pytest.mark.parametrize("job", ["generate_invoices", "escalate_violations"])
def test_scheduled_run_rehearses_and_says_so_in_report_ledger_and_log(database, jobs, maple, job):
    moment = datetime(2025, 11, 1, 2, tzinfo=ZONE) if job == "generate_invoices" else SIX
    outcome = jobs.run(DAGS[job], job, on=moment, run_type="scheduled")
    assert "Mode: REHEARSAL" in outcome.log
    assert f"python -m hoa_ops go-live --job {job}" in outcome.text
    assert "Would " in outcome.text
    assert outcome.returned["posted"] == 1
    assert posted(database) == NOTHING
    [run] = database.rows("SELECT job, mode, status, counts, associations FROM runs")
    assert (run["job"], run["mode"], run["status"], run["associations"]) == (job, "rehearsal", "completed", 1)
    assert run["counts"]["posted"] == "1"
    assert database.value("SELECT status FROM run_tenants") == "rehearsed"
    assert not database.value("SELECT bool_or(proves_done) FROM job_runs")


def test_rehearsal_shows_row_by_row_what_the_live_run_then_posts(database, jobs, maple):
    rehearsed = jobs.run("hoa_violation_escalation", "escalate_violations", on=SIX, run_type="scheduled").returned
    main(["go-live", "--job", "escalate_violations", "--who", "Pat", "--why", "the plan is right"])
    assert jobs.escalate(on=SIX).returned == rehearsed


@pytest.mark.parametrize("job", DAGS)
def test_live_run_by_hand_is_refused_with_the_command_that_goes_live(database, jobs, maple, job):
    params = {"job": job} if DAGS[job] == "hoa_monthly_billing" else {}
    sentence = rf"{job} is in rehearsal.* set dry_run .* `python -m hoa_ops go-live --job {job}`"
    for task_id in ("check_params", job):
        with pytest.raises(AirflowFailException, match=sentence):
            jobs.run(DAGS[job], task_id, on=TODAY, **params)
    assert database.value("SELECT count(*) FROM runs") == 0
    assert jobs.run(DAGS[job], job, on=TODAY, dry_run=True, **params)
    assert posted(database) == NOTHING


def test_run_by_hand_for_what_is_due_does_the_jobs_that_are_live(database, jobs, maple):
    main(["go-live", "--job", "send_reminders", "--who", "Pat", "--why", "reminders first"])
    database.run("UPDATE go_live_decisions SET decided_at = '2025-01-01'")
    monday = datetime(2025, 11, 3, 8, tzinfo=ZONE)
    jobs.run("hoa_monthly_billing", "check_params", on=monday)
    jobs.run("hoa_monthly_billing", "send_reminders", on=monday)
    with pytest.raises(AirflowSkipException, match="generate_invoices is in rehearsal"):
        jobs.run("hoa_monthly_billing", "generate_invoices", on=monday)


def test_nothing_scheduled_before_going_live_is_carried_out_live(database, jobs, maple):
    """Whatever unpauses a DAG: Airflow runs the latest past moment at once."""
    main(["go-live", "--all-jobs", "--who", "Pat", "--why", "ready"])
    jobs.run("hoa_violation_escalation", "escalate_violations", on=SIX, run_type="scheduled")
    assert posted(database) == NOTHING
    assert database.value("SELECT mode FROM runs") == "rehearsal"


def test_rehearsal_sends_nothing_and_has_no_closing_report(database, jobs, maple):
    with pytest.raises(AirflowSkipException, match="A rehearsal sends nothing"):
        jobs.run("hoa_violation_escalation", "deliver_messages", on=SIX, run_type="scheduled")
    jobs.run("hoa_violation_escalation", "escalate_violations", on=SIX, run_type="scheduled")
    closing = jobs.run("hoa_violation_escalation", "report", on=SIX, run_type="scheduled")
    assert "no job posted anything" in closing.text


def test_commands_record_who_and_why_and_can_be_taken_back(database, jobs, maple, capsys):
    assert main(["go-live", "--all-jobs", "--who", "Pat Lee", "--why", "compared for a month"]) == 0
    assert main(["go-live", "--job", "escalate_violations", "--who", "Sam", "--why", "again"]) == 0
    assert main(["rehearse", "--job", "escalate_violations", "--who", "Sam", "--why", "a rule is wrong"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        *(f"{job}: live from now on" for job in DAGS),
        "escalate_violations: was live already",
        "escalate_violations: in rehearsal from now on",
    ]
    decisions = database.rows(
        "SELECT live, decided_by, reason FROM go_live_decisions WHERE job = 'escalate_violations'"
    )
    assert decisions == [
        {"live": True, "decided_by": "Pat Lee", "reason": "compared for a month"},
        {"live": False, "decided_by": "Sam", "reason": "a rule is wrong"},
    ]
    with pytest.raises(AirflowFailException, match="escalate_violations is in rehearsal"):
        jobs.escalate(on=TODAY)
    main(["check-deployment"])
    said = capsys.readouterr().out
    assert "in rehearsal, posting nothing until `python -m hoa_ops go-live`: escalate_violations" in said
    assert "live: generate_invoices since " in said


def test_decision_needs_jobs_a_person_and_a_reason(database, maple, capsys):
    for arguments in (
        ["go-live", "--who", "Pat", "--why", "x"],
        ["go-live", "--all-jobs", "--who", " ", "--why", "x"],
        ["go-live", "--all-jobs", "--who", "Pat"],
        ["go-live", "--job", "hoa_monthly_billing", "--who", "Pat", "--why", "x"],
    ):
        with pytest.raises(SystemExit):
            main(arguments)
    assert database.value("SELECT count(*) FROM go_live_decisions") == 0


def test_deployment_that_had_posted_before_stays_live(postgres, database):
    """The migration carries over what was agreed: nobody's invoices stop because the package was updated."""
    script = (
        "INSERT INTO runs (job, dag_run_id, as_of, run_date, options, narrowed, status) "
        "VALUES ('send_reminders', 'r', '2025-10-27', '2025-10-27', '{}', false, 'completed')"
    )
    database.run("DELETE FROM go_live_decisions")
    database.run(script)
    from hoa_ops.settings import get_settings

    migration = get_settings().sql_dir / "schema/migrations/versions/0004_go_live_operations.sql"
    statement = migration.read_text().partition("-- A deployment that has posted before")[2].partition(";")[0]
    database.run("--" + statement)
    [decision] = database.rows("SELECT job, live, decided_by FROM go_live_decisions")
    assert decision == {"job": "send_reminders", "live": True, "decided_by": "migration"}


@pytest.mark.parametrize("job", DAGS)
def test_plan_as_a_report_reads_as_a_dry_run(database, maple, capsys, job):
    assert main(["plan", job, "--as-of", "2025-10-29", "--report"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "Mode: DRY RUN" in lines
    assert "SUMMARY" in lines
    assert database.value("SELECT count(*) FROM runs") == 0
