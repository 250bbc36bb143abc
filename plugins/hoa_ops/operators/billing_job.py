"""What the three billing jobs have in common: one DAG carries them, so each decides whether a run is for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hoa_ops.engine.run_ledger import completed_since, had_begun_by
from hoa_ops.jobs.run_request import BillingRequest
from hoa_ops.jobs.schedule import Job, last_tick
from hoa_ops.operators.tenant_job import TenantJobOperator

if TYPE_CHECKING:
    from hoa_ops.database import Cursor
    from hoa_ops.jobs.run_request import RunDate


class BillingJobOperator(TenantJobOperator):
    """A billing job: runs when a run asks for it, or when it is due.

    A job is due until a live run for all associations has completed it since its last scheduled moment. So two
    schedules that coincide, a run that failed, a pause or an outage neither lose a job nor do it twice. A deployment
    does not catch up what was scheduled before its first run, except for the invoices of the current month.
    """

    request_model = BillingRequest

    def skip_reason(
        self,
        cursor: Cursor,
        request: BillingRequest,  # type: ignore[override]
        run_date: RunDate,
        *,
        dag_run_id: str,
    ) -> str | None:
        """Say why the run is not for this job: another was asked for, or nothing is due."""
        if request.only_job is not None:
            return None if request.only_job == self.job else f"This run is for {request.only_job} only."
        tick = last_tick(self.job, run_date.moment)
        done_by = completed_since(cursor, self.job, tick, shards=self.shards, other_than=dag_run_id)
        if done_by is not None:
            return f"Not due: what was scheduled for {tick:%Y-%m-%d %H:%M} was done by run {done_by}."
        if self.job == Job.GENERATE_INVOICES or tick == run_date.moment:
            return None
        if had_begun_by(cursor, self.request_model.jobs, tick, other_than=dag_run_id):
            return None
        return (
            f"Not due: billing had not begun here when this was scheduled ({tick:%Y-%m-%d %H:%M}). "
            f"To do it now, trigger a run with job {self.job}."
        )
