"""When a job is due, by its cron expression."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import TYPE_CHECKING

from croniter import croniter

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from hoa_ops.jobs.definition import Job


def last_tick(job: Job, moment: datetime) -> datetime:
    """Return the latest scheduled moment of a job that is not after ``moment``.

    :param moment: time-zone aware; the answer is in the same zone, so that 2:00 stays 2:00 across clock changes.
    """
    local = moment.replace(tzinfo=None)
    if croniter.match(job.cron, local) and local == local.replace(second=0, microsecond=0):
        return moment
    previous: datetime = croniter(job.cron, local).get_prev(datetime)
    return previous.replace(tzinfo=moment.tzinfo)


def next_tick(job: Job, moment: datetime) -> datetime:
    """Return the first scheduled moment of a job after ``moment``, in the same zone."""
    following: datetime = croniter(job.cron, moment.replace(tzinfo=None)).get_next(datetime)
    return following.replace(tzinfo=moment.tzinfo)


def moment_of(job: Job, day: date, zone: ZoneInfo) -> datetime:
    """Return the moment that a run *as of* ``day`` stands for: the job's scheduled time of day on that day."""
    minute, hour, *_ = job.cron.split()
    return datetime.combine(day, time(int(hour), int(minute)), tzinfo=zone)
