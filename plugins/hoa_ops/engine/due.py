"""Whether a run is for a job at all: what was asked for, what is due, and what has been done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hoa_ops.engine.run_ledger import completed_since
from hoa_ops.jobs import jobs_of
from hoa_ops.jobs.schedule import last_tick

if TYPE_CHECKING:
    from hoa_ops.database import Cursor
    from hoa_ops.engine.go_live import JobMode
    from hoa_ops.jobs.run_request import RunDate, RunRequest


def reason_to_skip(
    cursor: Cursor, job_mode: JobMode, request: RunRequest, run_date: RunDate, *, dag_run_id: str, shards: int
) -> str | None:
    """Say why a run is not for a job: another was asked for, or nothing is due. Nothing if it is.

    A job that has a DAG of its own is done by every run. Of several that share one, a run does those that were asked
    for, or those that are due: a job is due until a live run for all associations has completed it since its last
    scheduled moment. So two schedules that coincide, a run that failed, a pause or an outage neither lose a job nor do
    it twice. What was scheduled before the job went live is nobody's to do.

    :param job_mode: the job, and since when it is live.
    :param shards: into how many parts the job is divided; all must have completed.
    """
    job, live_since = job_mode.job, job_mode.live_since
    siblings = jobs_of(job.dag_id)
    if len(siblings) == 1:
        return None
    if request.only_job is not None:
        return None if request.only_job == job.name else f"This run is for {request.only_job} only."
    tick = last_tick(job, run_date.moment)
    done_by = completed_since(cursor, job, tick, shards=shards, other_than=dag_run_id)
    if done_by is not None:
        return f"Not due: what was scheduled for {tick:%Y-%m-%d %H:%M} was done by run {done_by}."
    if tick == run_date.moment or live_since is None or live_since <= tick:
        return None
    return (
        f"Not due: this was scheduled for {tick:%Y-%m-%d %H:%M}, before the job went live. "
        f"To do it now, trigger a run with job {job}."
    )
