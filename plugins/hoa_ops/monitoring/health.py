"""Did each job complete when it should have? Answered from the run ledger, not from Airflow.

Airflow does not notice that a DAG is paused, that its scheduler is dead, that a file cannot be imported, or that a
green run worked on the wrong database. In all these cases the ledger lacks a completed run, and the job is late.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from hoa_ops.database import query
from hoa_ops.jobs import JOBS, Job, job_named
from hoa_ops.jobs.schedule import last_tick
from hoa_ops.settings import get_settings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hoa_ops.database import Cursor, Row

STUCK = {
    "dead_letters": "could not be delivered",
    "uncertain": "may or may not have arrived",
    "waiting": "did not go out in time",
}
"""What is stuck in the outbox, by alarm, in words that follow “1 message” or “2 messages”."""

PATIENCE = timedelta(seconds=5)
"""How long the database may take to answer a monitor or a page."""


class JobState(StrEnum):
    """Whether a job was done when it should have been."""

    OK = "ok"
    LATE = "late"
    REHEARSAL = "rehearsal"
    NOT_YET_DUE = "not_yet_due"


@dataclass(frozen=True)
class JobHealth:
    """One job: when it should have completed last, and when it did.

    :param due_at: its latest scheduled moment that is longer ago than the grace.
    :param done_for: the moment that its newest completed run for all associations stands for.
    :param done_at: when that run finished.
    :param reason: why it is late; empty unless it is.
    """

    job: Job
    state: JobState
    due_at: datetime
    done_for: datetime | None
    done_at: datetime | None
    reason: str = ""


@dataclass(frozen=True)
class Health:
    """The state of all jobs and of the outbox.

    :param stuck: how many messages need a person, by alarm; see :data:`STUCK`.
    """

    checked_at: datetime
    jobs: Sequence[JobHealth]
    stuck: Mapping[str, int]

    @property
    def ok(self) -> bool:
        """Whether nothing calls for a person."""
        return not self.stuck and not any(job.state in {JobState.LATE, JobState.REHEARSAL} for job in self.jobs)

    @property
    def bare(self) -> dict[str, Any]:
        """The status for anybody: which jobs are late and whether mail is stuck, without dates, figures or names."""
        return {
            "status": "ok" if self.ok else "trouble",
            "jobs": {job.job.name: job.state for job in self.jobs},
            "outbox": "stuck" if self.stuck else "ok",
        }


def check_health(cursor: Cursor, *, at: datetime) -> Health:
    """Compare the run ledger with the schedules, and look for mail that is stuck.

    A job is late when its last scheduled moment is longer ago than the setting ``health_grace_minutes`` and no run
    since has done it for all associations. What was scheduled before it went live is nobody's to do; but a job that is
    in rehearsal is not well, because it is not being done. Nor is one that is switched off: it is late like any other.

    :param at: the moment of the question, usually now.
    """
    settings = get_settings()
    at = at.astimezone(settings.zone)
    due = {job: last_tick(job, at - timedelta(minutes=settings.health_grace_minutes)) for job in JOBS}
    rows = cursor.rows(
        query("monitoring/health/jobs.sql"),
        {"jobs": [str(job) for job in due], "due": list(due.values()), "shards": settings.shards},
    )
    stuck = cursor.rows(
        query("monitoring/health/outbox.sql"), {"waiting_since": at - timedelta(hours=settings.mail_waiting_hours)}
    )
    return Health(
        checked_at=at,
        jobs=[_job_health(row, job, due[job]) for row in rows for job in [job_named(row["job"])]],
        stuck={row["alarm"]: row["messages"] for row in stuck},
    )


def _job_health(row: Row, job: Job, due_at: datetime) -> JobHealth:
    done_for, done_at = (moment and moment.astimezone(due_at.tzinfo) for moment in (row["done_for"], row["done_at"]))
    state, reason = JobState.LATE, ""
    if row["live_since"] is None:
        state = JobState.REHEARSAL
        reason = f"it posts nothing until someone goes live: `python -m hoa_ops go-live --job {job}`"
    elif done_for is not None and done_for >= due_at:
        state = JobState.OK
    elif row["live_since"] > due_at:
        state = JobState.NOT_YET_DUE
    else:
        reason = _reason(row, due_at)
    return JobHealth(job, state, due_at, done_for, done_at, reason)


def _reason(row: Row, due_at: datetime) -> str:
    match row["status"]:
        case None:
            return (
                "no run has started since it was due: check that the DAG is not paused, that the scheduler is running, "
                "and that this is the right database"
            )
        case "failed":
            return f"the latest run failed for {row['failed']} association(s): see HOA history or the task's log"
        case "switched_off":
            return "the job is switched off (Variable hoa_ops_switched_off)"
        case "running":
            return f"a run started at {row['started_at'].astimezone(due_at.tzinfo):%Y-%m-%d %H:%M} and has not finished"
        case _ if row["shards"] < get_settings().shards:
            return f"the latest run finished only {row['shards']} of {get_settings().shards} shards"
        case _:
            return "the latest run found no active association: check that this is the right database"
