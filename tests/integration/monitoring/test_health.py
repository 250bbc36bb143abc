"""What the health check sees that Airflow itself cannot."""

import json
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from hoa_ops.cli.main import main
from hoa_ops.jobs import ESCALATE_VIOLATIONS, JOBS
from hoa_ops.monitoring.health import check_health
from hoa_ops.settings import Settings, get_settings

NEW_YORK = ZoneInfo("America/New_York")
NOON = datetime(2025, 11, 10, 12, tzinfo=NEW_YORK)
"""A Monday: since 6:00 violations should have been escalated, since 8:00 reminders sent, since 9:00 budgets checked."""
ESCALATION_DUE = NOON.replace(hour=6)


def went_live(database, at):
    database.run("UPDATE go_live_decisions SET decided_at = %s", at)


def check(at=NOON):
    from hoa_ops.database import Database

    with (
        Database(get_settings().database_conn_id) as connected,
        connected.transaction(read_only=True) as cursor,
    ):
        return check_health(cursor, at=at)


def escalation(at=NOON):
    [job] = [job for job in check(at).jobs if job.job == ESCALATE_VIOLATIONS]
    return job


def record(database, run_date=ESCALATION_DUE, *, job="escalate_violations", status="completed", **values):
    return database.insert(
        "runs",
        **{
            "job": job,
            "dag_run_id": f"scheduled__{run_date.isoformat()}",
            "as_of": run_date.date(),
            "run_date": run_date,
            "options": "{}",
            "narrowed": False,
            "status": status,
            "started_at": run_date + timedelta(seconds=1),
            "finished_at": None if status == "running" else run_date + timedelta(minutes=2),
            "associations": 1,
        }
        | values,
    )


def test_a_real_run_is_on_time(database, jobs):
    maple = database.association()
    maple.violation(maple.unit(owner=maple.owner()), maple.violation_type(), cure_deadline=NOON.date())
    jobs.escalate(on=ESCALATION_DUE)
    done = escalation()
    assert (done.state, done.done_for, done.reason) == ("ok", ESCALATION_DUE, "")


def test_health_is_ok_when_all_jobs_are_done(database):
    for job, due_at in {job.job: job.due_at for job in check().jobs}.items():
        record(database, due_at, job=job.name)
    assert check().ok
    assert check().bare == {"status": "ok", "jobs": dict.fromkeys(map(str, JOBS), "ok"), "outbox": "ok"}


def test_job_that_nothing_ran_is_late(database):
    record(database, ESCALATION_DUE - timedelta(days=1))
    assert escalation().state == "late"
    assert "no run has started since it was due: check that the DAG is not paused" in escalation().reason
    assert escalation().done_for == ESCALATION_DUE - timedelta(days=1)


@pytest.mark.parametrize(("minutes", "state"), [(119, "ok"), (120, "late")])
def test_job_is_late_only_after_its_grace(database, minutes, state):
    record(database, ESCALATION_DUE - timedelta(days=1))
    assert escalation(ESCALATION_DUE + timedelta(minutes=minutes)).state == state


@pytest.mark.parametrize("undecided", [True, False])
def test_job_in_rehearsal_fails_health_even_if_it_was_done(database, undecided, capsys):
    for job, due_at in {job.job: job.due_at for job in check().jobs}.items():
        record(database, due_at, job=job.name)
    if undecided:
        database.run("DELETE FROM go_live_decisions WHERE job = 'escalate_violations'")
    else:
        database.run(
            "INSERT INTO go_live_decisions (job, live, decided_by, reason)"
            " VALUES ('escalate_violations', false, 'Ann', 'fines are wrong')"
        )
    assert escalation().state == "rehearsal"
    assert not check().ok
    assert check().bare["jobs"]["escalate_violations"] == "rehearsal"
    main(["health"])
    assert (
        "✗ escalate_violations: in REHEARSAL, last done for 2025-11-10 06:00; it posts nothing until someone goes "
        "live: `python -m hoa_ops go-live --job escalate_violations`"
    ) in capsys.readouterr().out


def test_rehearsal_does_not_count(database):
    record(database, mode="rehearsal")
    assert escalation().state == "late"


def test_what_was_due_before_going_live_is_not_late(database):
    went_live(database, NOON)
    assert {job.state for job in check().jobs} == {"not_yet_due"}
    assert check().ok
    assert escalation(NOON + timedelta(days=1)).state == "late"


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"status": "failed", "failed": 3}, "failed for 3 association(s)"),
        ({"status": "switched_off"}, "is switched off"),
        ({"status": "running"}, "06:00 and has not finished"),
        ({"associations": 0}, "no active association: check that this is the right database"),
        ({"narrowed": True}, "no run has started since it was due"),
    ],
    ids=["failed", "switched off", "killed", "wrong database", "narrowed"],
)
def test_run_that_did_not_do_the_job_does_not_count(database, values, reason):
    record(database, **values)
    assert escalation().state == "late"
    assert reason in escalation().reason


def test_every_shard_must_have_done_its_part(database, monkeypatch):
    monkeypatch.setattr(
        "hoa_ops.monitoring.health.get_settings", lambda: Settings(timezone="America/New_York", shards=2)
    )
    record(database)
    assert "only 1 of 2 shards" in escalation().reason
    record(database, shard=1, associations=0)
    assert escalation().state == "ok"
    database.run("UPDATE runs SET status = 'failed', failed = 1 WHERE shard = 1")
    assert "failed for 1 association(s)" in escalation().reason


def test_scheduled_times_do_not_move_when_clocks_change(database):
    sunday = datetime(2025, 11, 2, 6, tzinfo=NEW_YORK)
    record(database, sunday)
    assert escalation(sunday + timedelta(hours=6)).state == "ok"


def test_stuck_mail_fails_health(database):
    outbox(database, state="failed", finished_at=NOON)
    outbox(database, state="uncertain", finished_at=NOON)
    outbox(database, created_at=NOON - timedelta(hours=5))
    outbox(database, created_at=NOON - timedelta(hours=3))
    outbox(database, created_at=NOON - timedelta(days=5), channel="letter")
    assert check().stuck == {"dead_letters": 1, "uncertain": 1, "waiting": 1}
    assert check().bare["outbox"] == "stuck"


def outbox(database, **values):
    tenant = database.association(f"oaks-{database.value('SELECT count(*) FROM tenants')}")
    return tenant.insert(
        "outbox",
        **{"kind": "payment_reminder", "channel": "email", "sender_name": "", "recipient_name": "Jane Roe"}
        | {"reference_id": tenant.tenant_id, "recipient_id": tenant.tenant_id, "recipient_address": "jane@example.com"}
        | {"subject": "", "text_body": "", "html_body": ""}
        | values,
    )


def test_exit_status_tells_whether_all_is_well(database, capsys):
    assert main(["health"]) == 1
    assert "✗ escalate_violations: LATE" in capsys.readouterr().out
    assert main(["health", "--json"]) == 1
    assert {job["state"] for job in json.loads(capsys.readouterr().out)["jobs"]} == {"late"}
    went_live(database, datetime.now(NEW_YORK))
    assert main(["health"]) == 0
    assert "✓ outbox: nothing is stuck" in capsys.readouterr().out


def test_health_fails_when_the_database_is_down(monkeypatch, capsys):
    monkeypatch.setenv("AIRFLOW_CONN_HOA_OPS_DB", "postgresql://nobody@127.0.0.1:1/none")
    assert main(["health"]) == 1
    assert "cannot be reached" in capsys.readouterr().err


def test_health_does_not_read_a_long_history(database):
    """However many runs the ledger has, the check finds the ones it needs by their index."""
    database.run(
        """
        INSERT INTO runs (job, dag_run_id, as_of, run_date, options, narrowed, status, associations)
        SELECT job, 'manual__' || n, now(), timestamptz '2025-11-01' - n * interval '1 minute', '{}', n %% 50 > 0,
               CASE WHEN n < 19000 THEN 'failed' ELSE 'completed' END, 1
          FROM unnest(%s::text[]) AS job, generate_series(1, 20000) AS n
        """,
        [str(job) for job in JOBS],
    )
    database.run("ANALYZE runs")
    sql = (get_settings().sql_dir / "monitoring" / "health" / "jobs.sql").read_text()
    explained = database.connection.execute(
        f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}".encode(),
        {"jobs": [str(job) for job in JOBS], "due": [NOON] * 5, "shards": 1},
    ).fetchone()
    [plan] = next(iter(explained.values()))
    assert '"Seq Scan", "Parallel Aware": false, "Relation Name": "runs"' not in json.dumps(plan)
    assert plan["Execution Time"] < 100
