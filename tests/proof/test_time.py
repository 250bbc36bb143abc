"""A year of schedules in eight time zones, by Airflow's own timetable: each job is done once for each day it is due."""

from collections import Counter
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pendulum
import psycopg
import pytest
from airflow.timetables.base import TimeRestriction
from airflow.timetables.trigger import MultipleCronTriggerTimetable

from hoa_ops.database import Database
from hoa_ops.engine.due import reason_to_skip
from hoa_ops.engine.go_live import job_modes
from hoa_ops.jobs import jobs_of
from hoa_ops.jobs.run_request import RunDate
from hoa_ops.settings import get_settings
from tests.support.database import OWNER, PASSWORD, WORKER

JOBS = jobs_of("hoa_monthly_billing")
YEARS = [
    ("America/New_York", 2026),  # Summer time ends on November 1, at the hour of the invoices.
    ("America/Phoenix", 2026),
    ("Pacific/Honolulu", 2026),
    ("America/Havana", 2026),  # The clock changes at midnight.
    ("Europe/London", 2026),
    ("Asia/Kolkata", 2027),
    ("Australia/Sydney", 2028),  # A leap year; on October 1 there is no 2:00.
    ("Australia/Lord_Howe", 2028),  # The clock changes by half an hour.
]


def runs_of(zone, year):
    """The moments at which Airflow makes the DAG's runs in a year, as the timetable in the DAG file does."""
    timetable = MultipleCronTriggerTimetable(*(job.cron for job in JOBS), timezone=zone)
    start, end = (pendulum.datetime(each, 1, 1, tz=zone) for each in (year, year + 1))
    restriction = TimeRestriction(earliest=start, latest=None, catchup=True)
    interval = None
    while True:
        info = timetable.next_dagrun_info(last_automated_data_interval=interval, restriction=restriction)
        if info is None or info.run_after >= end:
            return
        yield datetime.fromtimestamp(info.run_after.timestamp(), tz=ZoneInfo(zone))
        interval = info.data_interval


def days_due(year):
    """The days of the crontab: the 1st, the 6th, every Monday."""
    days = [date(year, 1, 1) + timedelta(n) for n in range((date(year + 1, 1, 1) - date(year, 1, 1)).days)]
    due = {"generate_invoices": [day for day in days if day.day == 1]}
    due |= {"assess_late_fees": [day for day in days if day.day == 6]}
    return due | {"send_reminders": [day for day in days if day.weekday() == 0]}


@pytest.mark.parametrize(("zone", "year"), YEARS)
def test_each_job_is_done_once_for_every_day_it_is_due(server, new_database, monkeypatch, proved, zone, year):
    name = new_database()
    with psycopg.connect(server.dsn(name), autocommit=True) as admin:
        # A database that lives in another zone than the deployment.
        admin.execute(f"ALTER DATABASE {name} SET timezone TO 'Asia/Tokyo'")
    monkeypatch.setenv("AIRFLOW_CONN_HOA_OPS_DB", server.dsn(name, WORKER, PASSWORD))
    monkeypatch.setenv("AIRFLOW__HOA_OPS__TIMEZONE", zone)
    get_settings.cache_clear()
    done = {job.name: Counter() for job in JOBS}
    runs = 0
    try:
        with Database("hoa_ops_db") as database, psycopg.connect(server.dsn(name, OWNER, PASSWORD)) as ledger:
            for moment in runs_of(zone, year):
                runs += 1
                for job in JOBS:
                    request = job.request.read({})
                    run_date = RunDate.of(request, moment, job=job)
                    dag_run_id = f"scheduled__{moment.isoformat()}"
                    with database.transaction(read_only=True) as cursor:
                        [job_mode] = job_modes(cursor, [job])
                        reason = reason_to_skip(cursor, job_mode, request, run_date, dag_run_id=dag_run_id, shards=1)
                    if reason is None:
                        done[job.name][run_date.as_of] += 1
                        ledger.execute(
                            "INSERT INTO hoa_ops.runs (job, dag_run_id, as_of, run_date, options, narrowed, mode,"
                            " status, associations) VALUES (%s, %s, %s, %s, '{}', false, 'live', 'completed', 1)",
                            [job.name, dag_run_id, run_date.as_of, run_date.moment],
                        )
                        ledger.commit()
    finally:
        monkeypatch.undo()
        get_settings.cache_clear()
    # The first run of a new deployment does what was due before it, too.
    expected = {job: Counter(days) for job, days in days_due(year).items()}
    first = min(day for days in expected.values() for day in days)
    for job, days in done.items():
        extra = days - expected[job]
        assert extra in ({}, {first: 1}), f"{job}: {extra}"
        assert expected[job] - days == Counter(), f"{job}: not done on {expected[job] - days}"
    proved(
        f"the schedules of {year} in {zone}, on a database in Asia/Tokyo",
        runs,
        "each job done once for every day it is due",
    )
