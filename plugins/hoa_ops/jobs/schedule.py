"""When each job is due: the crontab of the jobs, in one place for DAG files, catch-up and reports."""

from __future__ import annotations

from datetime import date, datetime, time
from enum import StrEnum
from typing import TYPE_CHECKING

from croniter import croniter

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo


class Job(StrEnum):
    """The five jobs, by the names that DAG params, task ids and the run ledger use."""

    GENERATE_INVOICES = "generate_invoices"
    ASSESS_LATE_FEES = "assess_late_fees"
    SEND_REMINDERS = "send_reminders"
    ESCALATE_VIOLATIONS = "escalate_violations"
    CHECK_BUDGET_VARIANCES = "check_budget_variances"


CRON = {
    Job.GENERATE_INVOICES: "0 2 1 * *",
    Job.ASSESS_LATE_FEES: "0 3 6 * *",
    Job.SEND_REMINDERS: "0 8 * * 1",
    Job.ESCALATE_VIOLATIONS: "0 6 * * *",
    Job.CHECK_BUDGET_VARIANCES: "0 9 * * 1",
}


def last_tick(job: Job, moment: datetime) -> datetime:
    """Return the latest scheduled moment of a job that is not after ``moment``.

    :param moment: time-zone aware; the answer is in the same zone, so that 2:00 stays 2:00 across clock changes.
    """
    local = moment.replace(tzinfo=None)
    if croniter.match(CRON[job], local) and local == local.replace(second=0, microsecond=0):
        return moment
    previous: datetime = croniter(CRON[job], local).get_prev(datetime)
    return previous.replace(tzinfo=moment.tzinfo)


def next_tick(job: Job, moment: datetime) -> datetime:
    """Return the first scheduled moment of a job after ``moment``, in the same zone."""
    following: datetime = croniter(CRON[job], moment.replace(tzinfo=None)).get_next(datetime)
    return following.replace(tzinfo=moment.tzinfo)


def moment_of(job: Job, day: date, zone: ZoneInfo) -> datetime:
    """Return the moment that a run *as of* ``day`` stands for: the job's scheduled time of day on that day."""
    minute, hour, *_ = CRON[job].split()
    return datetime.combine(day, time(int(hour), int(minute)), tzinfo=zone)
