"""Going live on purpose: which jobs may post, since when, and who decided it.

A deployment starts in rehearsal: what is scheduled is planned and reported, and nothing is posted, until a person goes
live. What was scheduled before that moment is nobody's to do.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from hoa_ops.database import query
from hoa_ops.errors import RequestError
from hoa_ops.jobs import JOBS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from hoa_ops.database import Cursor
    from hoa_ops.jobs import Job
    from hoa_ops.jobs.run_request import RunDate, RunRequest


class Mode(StrEnum):
    """How a run does its work; the values are those of the run ledger."""

    LIVE = "live"
    DRY_RUN = "dry_run"
    REHEARSAL = "rehearsal"


@dataclass(frozen=True)
class JobMode:
    """Whether a job is live, and on whose word.

    :param live_since: nothing while it is in rehearsal.
    :param decided_by: who decided it last; nothing if nobody ever did.
    """

    job: Job
    live_since: datetime | None
    decided_by: str | None
    reason: str | None
    decided_at: datetime | None


def job_modes(cursor: Cursor, jobs: Sequence[Job] = JOBS) -> list[JobMode]:
    """Return of each job whether it is live."""
    found = {row["job"]: row for row in cursor.rows(query("engine/job_modes.sql"))}
    return [
        JobMode(job, row.get("live_since"), row.get("decided_by"), row.get("reason"), row.get("decided_at"))
        for job in jobs
        for row in [found.get(job.name, {})]
    ]


def go_live(cursor: Cursor, jobs: Sequence[Job], *, who: str, why: str) -> list[Job]:
    """Let jobs post from now on; one that is live already stays live since the day it went live.

    :param who: the person who decided it.
    :param why: the reason, for whoever reads the record.
    :returns: the jobs that went live now.
    """
    return _decide(cursor, jobs, who=who, why=why, live=True)


def rehearse(cursor: Cursor, jobs: Sequence[Job], *, who: str, why: str) -> list[Job]:
    """Take jobs back into rehearsal: from now on they post nothing.

    :returns: the jobs that were live until now.
    """
    return _decide(cursor, jobs, who=who, why=why, live=False)


def _decide(cursor: Cursor, jobs: Sequence[Job], *, who: str, why: str, live: bool) -> list[Job]:
    to_change = [mode.job for mode in job_modes(cursor, jobs) if (mode.live_since is not None) is not live]
    for job in to_change:
        cursor.run(
            query("engine/record_decision.sql"), {"job": job.name, "live": live, "decided_by": who, "reason": why}
        )
    return to_change


def mode_of(job_mode: JobMode, request: RunRequest, run_date: RunDate, *, by_hand: bool) -> Mode:
    """Say how a run does a job.

    :param job_mode: the job, and since when it is live.
    :param by_hand: a person or a program asked for the run, rather than the schedule.
    :raises NotLiveError: when somebody asks for a live run of a job that is in rehearsal.
    """
    if request.dry_run:
        return Mode.DRY_RUN
    job, live_since = job_mode.job, job_mode.live_since
    if by_hand:
        if live_since is None:
            raise NotLiveError(
                f"{job} is in rehearsal, so nothing may be posted: set dry_run to see what it would do, "
                f"or go live with `python -m hoa_ops go-live --job {job}`"
            )
        return Mode.LIVE
    is_live = live_since is not None and live_since <= run_date.moment
    return Mode.LIVE if is_live else Mode.REHEARSAL


class NotLiveError(RequestError):
    """A live run was asked for of a job that is in rehearsal."""
