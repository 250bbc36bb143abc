"""A live run dated ahead, long ago, or before the association began is refused with a sentence."""

from datetime import UTC, date, datetime

import pytest
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from hoa_ops.operators import this_run

FULL_WIDTH = "2025-10-29".translate({ord(digit): ord(digit) + 0xFEE0 for digit in "0123456789"})
JOBS = [
    ("hoa_monthly_billing", "generate_invoices", {"job": "generate_invoices"}),
    ("hoa_monthly_billing", "assess_late_fees", {"job": "assess_late_fees"}),
    ("hoa_monthly_billing", "send_reminders", {"job": "send_reminders"}),
    ("hoa_violation_escalation", "escalate_violations", {}),
    ("hoa_budget_variance", "check_budget_variances", {}),
]


@pytest.mark.parametrize(("dag_id", "job", "params"), JOBS)
def test_live_run_dated_ahead_is_refused_by_every_task(database, jobs, unit, dag_id, job, params):
    for task_id in ("check_params", job):
        with pytest.raises(AirflowFailException, match="dated 2027-03-01, and today is 2026-11-25: a live run cannot"):
            jobs.run(dag_id, task_id, on=date(2027, 3, 1), today=date(2026, 11, 25), **params)
    assert database.value("SELECT count(*) FROM runs") == 0
    assert jobs.run(dag_id, job, on=date(2027, 3, 1), today=date(2026, 11, 25), dry_run=True, **params)


def test_tomorrow_is_let_pass_because_somewhere_it_has_begun(jobs, unit):
    jobs.escalate(on=date(2025, 10, 30), today=date(2025, 10, 29))


@pytest.mark.parametrize(("dag_id", "job", "params"), JOBS)
def test_live_run_dated_long_ago_is_refused(monkeypatch, database, jobs, unit, dag_id, job, params):
    from hoa_ops.settings import get_settings

    monkeypatch.setenv("AIRFLOW__HOA_OPS__LIVE_RUN_DAYS", "366")
    get_settings.cache_clear()
    try:
        with pytest.raises(
            AirflowFailException, match=r"more than 366 days ago \(setting live_run_days\): correct the date"
        ):
            jobs.run(dag_id, "check_params", on=date(2026, 11, 25), as_of="2025-11-01", **params)
        jobs.run(dag_id, "check_params", on=date(2026, 11, 25), as_of="2025-11-24", **params)
    finally:
        get_settings.cache_clear()
    assert database.value("SELECT count(*) FROM billed_periods") == 0


@pytest.mark.parametrize("as_of", ["1925-12-08", "0001-01-01", "9999-12-31", FULL_WIDTH, "2025-10-29\x00"])
def test_day_that_nobody_means_is_refused_in_a_sentence(jobs, unit, as_of):
    with pytest.raises(
        AirflowFailException, match="as_of: write the date as YYYY-MM-DD, such as 2025-10-29, from 2000"
    ):
        jobs.run("hoa_violation_escalation", "check_params", on=date(2025, 10, 29), as_of=as_of)


def test_live_run_before_the_association_began_is_refused_and_closes_no_month(database, jobs, maple):
    maple.unit("101", owner=maple.owner())
    database.run("UPDATE tenants SET billing_starts_on = '2025-08-01'")
    database.run("UPDATE ownerships SET starts_on = '2025-06-01'")
    with pytest.raises(AirflowFailException, match="dated 2025-05-31, and nothing began before 2025-06-01"):
        jobs.run("hoa_monthly_billing", "check_params", on=date(2025, 10, 29), as_of="2025-05-31")
    jobs.run("hoa_monthly_billing", "check_params", on=date(2025, 10, 29), as_of="2025-06-01")
    jobs.run("hoa_monthly_billing", "check_params", on=date(2025, 10, 29), as_of="2025-05-31", dry_run=True)


@pytest.mark.parametrize("zone", ["America/New_York", "Pacific/Honolulu", "UTC", "Asia/Tokyo", "Pacific/Kiritimati"])
def test_typed_day_is_that_day_in_every_time_zone(monkeypatch, jobs, database, unit, zone):
    """``airflow tasks test DAG TASK 2025-11-01`` gives midnight in UTC, which in New York is the evening before."""
    from hoa_ops.settings import get_settings

    monkeypatch.setenv("AIRFLOW__HOA_OPS__TIMEZONE", zone)
    get_settings.cache_clear()
    try:
        midnight = datetime(2025, 11, 1, tzinfo=UTC)
        outcome = jobs.run("hoa_violation_escalation", "check_params", on=midnight, dry_run=True)
    finally:
        get_settings.cache_clear()
    assert "Dry run as of 2025-11-01 for 1 association(s)" in outcome.log


@pytest.mark.parametrize(("dag_id", "job", "_params"), JOBS)
@pytest.mark.parametrize("task", ["check_params", "job", "deliver_messages", "report"])
def test_temporary_run_that_a_scheduler_carries_out_is_skipped(database, jobs, unit, dag_id, job, _params, task):
    task_id = job if task == "job" else task
    with pytest.raises(AirflowSkipException, match="temporary run of an `airflow tasks test` command"):
        jobs.run(dag_id, task_id, on=date(2025, 10, 29), dag_run_id="__airflow_temporary_run_2025-10-29T00:00:00__")
    assert database.value("SELECT count(*) FROM runs") == 0


def test_temporary_run_in_the_command_itself_is_carried_out(monkeypatch, jobs, unit):
    monkeypatch.setattr(this_run, "_is_test_on_the_command_line", lambda: True)
    jobs.breadcrumbs = [{"task_id": "check_params", "state": "skipped", "map_index": -1}]
    outcome = jobs.run(
        "hoa_violation_escalation",
        "escalate_violations",
        on=datetime(2025, 10, 29, tzinfo=UTC),
        dag_run_id="__airflow_temporary_run_2025-10-29T00:00:00__",
        dry_run=True,
    )
    assert "Run Date: 2025-10-29 06:00:00" in outcome.log
