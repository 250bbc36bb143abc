"""Which billing job a run does: the schedule is driven over days and months, with what happens to schedules in life."""

import itertools
from datetime import date, datetime, timedelta

import pytest
from airflow.sdk import TriggerRule
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException
from croniter import croniter

from hoa_ops.jobs import ASSESS_LATE_FEES, job_named, jobs_of
from tests.support.job_runner import ZONE, load_dag

pytestmark = pytest.mark.usefixtures("books_in_order")

JOBS = INVOICES, FEES, REMINDERS = [job.name for job in jobs_of("hoa_monthly_billing")]


def at(day, hour=0, minute=0, *, month=11, year=2025):
    return datetime(year, month, day, hour, minute, tzinfo=ZONE)


def ticks(start, end):
    """Every moment at which a schedule of the DAG fires, once, as MultipleCronTriggerTimetable has them."""
    moments = set()
    for job in JOBS:
        tick = croniter(job_named(job).cron, start.replace(tzinfo=None) - timedelta(minutes=1)).get_next(datetime)
        while tick < end.replace(tzinfo=None):
            moments.add(tick.replace(tzinfo=ZONE))
            tick = croniter(job_named(job).cron, tick).get_next(datetime)
    return sorted(moments)


class Scheduler:
    """Does what Airflow's scheduler would, on the real operators: after a pause, only the latest tick missed."""

    def __init__(self, jobs):
        self.jobs = jobs
        self.skipped = {}

    def run(self, moment, *, dag_run_id=None, **params):
        """One run of the DAG; returns the jobs that it did. A job that fails does not stop the next one."""
        done = []
        self.skipped, self.failed = {}, []
        for job in JOBS:
            try:
                self.jobs.run(
                    "hoa_monthly_billing",
                    job,
                    on=moment,
                    dag_run_id=dag_run_id or f"run__{moment.isoformat()}",
                    run_type="manual" if params else "scheduled",
                    **params,
                )
                done.append(job)
            except AirflowSkipException as skip:
                self.skipped[job] = str(skip)
            except AirflowFailException:
                self.failed.append(job)
        return done

    def between(self, start, end, *, down=()):
        """Run all ticks from ``start`` to before ``end``, but while ``down`` none; then the latest one missed."""
        log, missed = [], None
        for tick in ticks(start, end):
            if any(begin <= tick < finish for begin, finish in down):
                missed = tick
                continue
            if missed is not None:
                log.append((missed, self.run(missed)))
                missed = None
            log.append((tick, self.run(tick)))
        return [(moment.strftime("%m-%d %H:%M"), job) for moment, done in log for job in done]


@pytest.fixture
def scheduler(jobs):
    return Scheduler(jobs)


@pytest.fixture(autouse=True)
def live_since_the_end_of_october(database):
    went_live(database, at(31, 12, month=10))


def went_live(database, moment):
    database.run("UPDATE go_live_decisions SET decided_at = %s", moment)


@pytest.fixture
def maple(database):
    maple = database.association()
    maple.unit("101", owner=maple.owner())
    maple.insert("late_fee_rules", fee_type="flat", flat_amount="25.00", effective_from=date(2025, 1, 1))
    return maple


def periods(database):
    return [
        row["period"].strftime("%Y-%m")
        for row in database.rows("SELECT period FROM invoices WHERE kind = 'assessment' ORDER BY period")
    ]


def fees(database):
    return [
        row["due_date"].isoformat()
        for row in database.rows(
            """
            SELECT assessments.due_date FROM invoices AS fees
              JOIN invoices AS assessments ON assessments.id = fees.late_fee_of_invoice_id ORDER BY 1
            """
        )
    ]


def reminder_days(database):
    return [
        row["reminded_on"].isoformat() for row in database.rows("SELECT reminded_on FROM payment_reminders ORDER BY 1")
    ]


def test_every_job_runs_only_at_its_own_time(database, scheduler, maple):
    assert scheduler.between(at(1), at(1, month=12)) == [
        ("11-01 02:00", INVOICES),
        ("11-03 08:00", REMINDERS),
        ("11-06 03:00", FEES),
        ("11-10 08:00", REMINDERS),
        ("11-17 08:00", REMINDERS),
        ("11-24 08:00", REMINDERS),
    ]
    assert periods(database) == ["2025-11"]
    assert fees(database) == ["2025-11-01"]
    assert len(reminder_days(database)) == 4


def test_job_that_is_not_due_names_the_run_that_did_it(scheduler, maple):
    scheduler.run(at(1, 2))
    scheduler.run(at(3, 8))
    assert scheduler.skipped[INVOICES] == (
        "Not due: what was scheduled for 2025-11-01 02:00 was done by run run__2025-11-01T02:00:00-04:00."
    )


def test_outage_over_the_first_is_caught_up(database, scheduler, maple):
    went_live(database, at(20, month=10))
    done = scheduler.between(at(20, month=10), at(10), down=[(at(30, month=10), at(4))])
    assert done == [
        ("10-20 08:00", REMINDERS),  # October's invoices were scheduled before the job went live.
        ("10-27 08:00", REMINDERS),
        ("11-03 08:00", INVOICES),  # What the outage left out, at its latest tick.
        ("11-03 08:00", REMINDERS),
        ("11-06 03:00", FEES),
    ]
    assert periods(database) == ["2025-11"]


def test_pause_of_weeks_is_caught_up(database, scheduler, maple):
    went_live(database, at(31, month=7))
    done = scheduler.between(at(1, month=8), at(1, month=12), down=[(at(2, month=8), at(11))])
    # Ten weeks of reminders and three months of fees come to one of each.
    assert [job for moment, job in done if moment == "11-10 08:00"] == [INVOICES, FEES, REMINDERS]
    assert periods(database) == ["2025-08", "2025-09", "2025-10", "2025-11"]
    assert len(fees(database)) == len(set(fees(database)))
    days = [date.fromisoformat(day) for day in reminder_days(database)]
    assert all(later - earlier > timedelta(days=6) for earlier, later in itertools.pairwise(days))


def test_two_schedules_at_the_same_minute_make_one_run_of_both_jobs(monkeypatch, database, scheduler, maple):
    monkeypatch.setitem(vars(ASSESS_LATE_FEES), "cron", "0 8 * * 1")
    assert scheduler.between(at(1), at(4)) == [
        ("11-01 02:00", INVOICES),
        ("11-03 08:00", FEES),
        ("11-03 08:00", REMINDERS),
    ]


def test_reminders_caught_up_at_night_are_not_repeated_in_the_morning(database, scheduler, maple):
    scheduler.between(at(1, month=11), at(20, month=11))
    # Monday the 24th is missed; Monday, December 1st has both the invoices at 2:00 and the reminders at 8:00.
    done = scheduler.between(at(20), at(2, month=12), down=[(at(24), at(25))])
    assert done == [
        ("11-24 08:00", REMINDERS),
        ("12-01 02:00", INVOICES),
        ("12-01 08:00", REMINDERS),
    ]
    days = [date.fromisoformat(day) for day in reminder_days(database)]
    assert len(days) == len(set(days))


@pytest.mark.parametrize(
    ("first_run", "done"),
    [
        (at(6, 3), [FEES]),  # Mid-month: nothing is billed, charged or sent for what was scheduled before.
        (at(10, 8), [REMINDERS]),
        (at(17, 8), [REMINDERS]),
    ],
)
def test_what_was_scheduled_before_going_live_is_not_caught_up(database, scheduler, maple, first_run, done):
    went_live(database, first_run - timedelta(hours=1))
    assert scheduler.run(first_run) == done
    assert periods(database) == []
    assert scheduler.skipped[INVOICES] == (
        "Not due: this was scheduled for 2025-11-01 02:00, before the job went live. "
        "To do it now, trigger a run with job generate_invoices."
    )
    assert scheduler.between(at(1, month=12), at(2, month=12))
    assert periods(database) == ["2025-12"]


def test_first_month_is_billed_by_hand_where_a_deployment_goes_live_later(database, scheduler, maple):
    went_live(database, at(5))
    assert scheduler.run(at(5, 9), job="generate_invoices") == [INVOICES]
    assert periods(database) == ["2025-11"]


def test_first_fees_missed_in_an_outage_are_caught_up(scheduler, maple):
    scheduler.run(at(1, 2))
    assert scheduler.run(at(10, 8)) == [FEES, REMINDERS]


def test_failed_job_is_done_by_the_next_run_and_does_not_stop_the_others(database, scheduler, maple):
    broken = database.association("broken-brook")
    broken.unit(owner=broken.owner())
    database.run("UPDATE accounts SET active = false WHERE number = '4100' AND tenant_id = %s", broken.tenant_id)
    assert scheduler.run(at(1, 2)) == []
    assert scheduler.failed == [INVOICES]
    assert scheduler.run(at(3, 8)) == [REMINDERS]
    assert scheduler.failed == [INVOICES]
    database.run("UPDATE accounts SET active = true")
    assert scheduler.run(at(6, 3)) == [INVOICES, FEES]
    assert scheduler.run(at(10, 8)) == [REMINDERS]
    assert periods(database) == ["2025-11", "2025-11"]


def test_job_of_a_killed_worker_stays_due(database, scheduler, maple):
    scheduler.run(at(1, 2))
    database.run("UPDATE runs SET status = 'running', finished_at = NULL")
    assert INVOICES in scheduler.run(at(3, 8))
    assert periods(database) == ["2025-11"]


def test_retried_task_does_its_job_again(database, scheduler, maple):
    for _ in range(2):
        assert scheduler.run(at(1, 2)) == [INVOICES]
    assert periods(database) == ["2025-11"]


def test_switched_off_job_says_so_does_not_stop_the_others_and_is_caught_up(
    monkeypatch, database, scheduler, jobs, maple
):
    monkeypatch.setenv("AIRFLOW_VAR_HOA_OPS_SWITCHED_OFF", "generate_invoices")
    scheduler.run(at(1, 2))
    assert jobs.billing(INVOICES, on=at(1, 2, 30)).text.count("SWITCHED OFF") == 1
    assert scheduler.run(at(3, 8)) == [INVOICES, REMINDERS]
    assert periods(database) == []
    monkeypatch.delenv("AIRFLOW_VAR_HOA_OPS_SWITCHED_OFF")
    assert scheduler.run(at(6, 3)) == [INVOICES, FEES]
    assert periods(database) == ["2025-11"]


def test_run_for_one_job_does_it_whether_or_not_it_is_due(database, scheduler, maple):
    assert scheduler.run(at(12, 15), job="send_reminders") == [REMINDERS]
    assert scheduler.skipped[INVOICES] == "This run is for send_reminders only."
    assert scheduler.run(at(12, 16), billing_month="2025-10") == [INVOICES]
    assert scheduler.run(at(12, 17), days_grace=3) == [FEES]
    assert periods(database) == ["2025-10"]


def test_run_for_one_association_or_one_month_leaves_the_job_due(database, scheduler, maple):
    scheduler.run(at(1, 2, 30), job="generate_invoices", tenant="maple-court")
    scheduler.run(at(1, 3), billing_month="2025-11")
    assert scheduler.run(at(3, 8)) == [INVOICES, REMINDERS]
    assert periods(database) == ["2025-11"]


def test_run_by_hand_for_all_does_what_was_due(scheduler, maple):
    scheduler.run(at(1, 3), job="generate_invoices", dag_run_id="by hand")
    assert scheduler.run(at(3, 8)) == [REMINDERS]
    assert "by hand" in scheduler.skipped[INVOICES]


def test_dry_run_shows_what_is_due_and_does_not_count(database, scheduler, maple):
    before = database.snapshot()
    assert scheduler.run(at(1, 2), dry_run=True) == [INVOICES]
    assert database.snapshot() == before
    assert scheduler.run(at(1, 2)) == [INVOICES]
    assert scheduler.run(at(1, 5), dry_run=True) == []


def test_as_of_a_past_date_does_what_was_due_then(scheduler, maple):
    scheduler.between(at(1), at(20))
    assert scheduler.run(at(20, 12), as_of="2025-11-06") == []
    assert scheduler.run(at(20, 13), as_of="2025-11-06", job="assess_late_fees") == [FEES]


def test_clock_changes_move_no_scheduled_time(scheduler, maple):
    scheduler.run(at(1, 2))
    # Clocks in New York go back on November 2nd.
    assert scheduler.run(at(3, 8)) == [REMINDERS]
    assert scheduler.run(at(2, 1, 30, month=11).replace(fold=1)) == []
    assert scheduler.run(at(1, 2, month=12))[0] == INVOICES


def test_a_job_in_shards_is_done_when_all_shards_are(database, jobs, maple):
    from hoa_ops.operators.generate_invoices import GenerateInvoicesOperator

    for code in ("elm-grove", "oak-hill", "pine-view"):
        association = database.association(code)
        association.unit(owner=association.owner())
    task = load_dag("hoa_monthly_billing").get_task("generate_invoices")
    assert isinstance(task, GenerateInvoicesOperator)

    def run(shard, dag_run_id):
        task.shard, task.shards = shard, 2
        try:
            jobs.run("hoa_monthly_billing", "generate_invoices", on=at(3, 8), dag_run_id=dag_run_id)
        except AirflowSkipException:
            return False
        finally:
            task.shard, task.shards = 0, 1
        return True

    assert [run(0, "first")] == [True]
    assert [run(0, "second"), run(1, "second")] == [True, True]
    assert [run(0, "third"), run(1, "third")] == [False, False]
    assert periods(database) == ["2025-11"] * 4


def test_job_that_fails_or_is_skipped_stops_nothing():
    tasks = ["check_params", *JOBS, "deliver_messages", "report", "complete"]
    dag = load_dag("hoa_monthly_billing")
    assert dag.get_task(JOBS[0]).trigger_rule == TriggerRule.ALL_SUCCESS
    for earlier, later in itertools.pairwise(tasks):
        task = dag.get_task(later)
        assert task.upstream_task_ids == {earlier}
        assert later == JOBS[0] or task.trigger_rule == TriggerRule.ALL_DONE


@pytest.mark.parametrize("task_id", [*JOBS, "deliver_messages", "report"])
@pytest.mark.parametrize("state", ["failed", "skipped", "upstream_failed"])
def test_refused_run_stops_every_task(database, jobs, task_id, state):
    jobs.breadcrumbs = [{"task_id": "check_params", "state": state, "map_index": -1}]
    with pytest.raises(AirflowSkipException, match="This run was refused, see check_params: nothing is done"):
        jobs.run("hoa_monthly_billing", task_id, on=at(6, 3))
    assert database.value("SELECT count(*) FROM runs") == 0
