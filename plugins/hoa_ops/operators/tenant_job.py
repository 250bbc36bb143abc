"""What the operators of the jobs have in common: they read the context, call the engine, and log its report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.common.compat.sdk import AirflowFailException, AirflowSkipException, BaseOperator

from hoa_ops.database import Database
from hoa_ops.engine.due import reason_to_skip
from hoa_ops.engine.go_live import Mode, NotLiveError, job_modes, mode_of
from hoa_ops.engine.job_run import JobRun, JobSql
from hoa_ops.engine.live_dates import check_live_date
from hoa_ops.engine.switch import switched_off_jobs
from hoa_ops.errors import HoaOpsError, RequestError
from hoa_ops.jobs import jobs_of
from hoa_ops.operators.this_run import ThisRun, refusal, stop_if_refused
from hoa_ops.settings import get_settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.providers.common.compat.sdk import Context

    from hoa_ops.engine.report import AssociationOutcome
    from hoa_ops.jobs import Job


class TenantJobOperator(BaseOperator):
    """Do one job for all associations of a run; see :class:`~hoa_ops.engine.job_run.JobRun`.

    A subclass names its job.

    :param plan_sql: the job's plan (templated)
    :param post_sql: its posting (templated)
    :param messages_sql: the facts of its messages (templated)
    :param lock_sql: its lock, if it takes one (templated)
    :param shard: which part of the associations this task does, counted from 0
    :param shards: into how many parts they are divided
    """

    template_fields: Sequence[str] = ("lock_sql", "plan_sql", "post_sql", "messages_sql")
    template_ext: Sequence[str] = (".sql",)
    template_fields_renderers: ClassVar[dict[str, str]] = dict.fromkeys(template_fields, "sql")

    job: ClassVar[Job]

    def __init__(
        self,
        *,
        plan_sql: str,
        post_sql: str,
        messages_sql: str,
        lock_sql: str | None = None,
        shard: int = 0,
        shards: int = 1,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.lock_sql = lock_sql
        self.plan_sql = plan_sql
        self.post_sql = post_sql
        self.messages_sql = messages_sql
        self.shard = shard
        self.shards = shards

    def execute(self, context: Context) -> dict[str, Any]:
        """Do the job and log its report; return counts and totals.

        :raises AirflowSkipException: when the job is not for this run.
        :raises AirflowFailException: when params are wrong, or associations failed for reasons that people must fix.
        :raises HoaOpsError: when associations failed for reasons that may pass; the task may be tried again.
        """
        stop_if_refused(context)
        this = ThisRun.of(context, self.job)
        with Database(get_settings().database_conn_id) as database:
            try:
                report = self._run(database, this).execute(switched_off=self.job.name in switched_off_jobs())
            except RequestError as error:
                raise refusal(error) from None
        for line in report.lines():
            self.log.info("%s", line)
        if report.failed:
            raise _failure(report.failed)
        return report.figures

    def _run(self, database: Database, this: ThisRun) -> JobRun:
        """Return the run that is to be carried out.

        :raises AirflowSkipException: when the job is not for this run.
        :raises RequestError: when a live run is asked for that cannot be one.
        """
        with database.transaction(read_only=True) as cursor:
            [job_mode] = job_modes(cursor, [self.job])
            skip = reason_to_skip(
                cursor, job_mode, this.request, this.run_date, dag_run_id=this.dag_run_id, shards=self.shards
            )
            if skip is not None:
                raise AirflowSkipException(skip)
            try:
                mode = mode_of(job_mode, this.request, this.run_date, by_hand=this.by_hand)
            except NotLiveError as error:
                if this.request.only_job is None and len(jobs_of(self.job.dag_id)) > 1:
                    # The run is for those of the jobs that are live.
                    raise AirflowSkipException(str(error)) from None
                raise
        if mode is Mode.LIVE:
            check_live_date(this.run_date.as_of)
        return JobRun(
            database,
            self.job,
            this.request,
            this.run_date,
            sql=JobSql(self.plan_sql, self.post_sql, self.messages_sql, self.lock_sql),
            mode=mode,
            dag_run_id=this.dag_run_id,
            shard=self.shard,
            shards=self.shards,
        )


def _failure(failed: Sequence[AssociationOutcome]) -> Exception:
    # Alerts quote the first line only, so it names no association.
    reasons = "\n".join(f"  {outcome.name}: {outcome.error}" for outcome in failed)
    message = f"{len(failed)} association(s) could not be posted and were left unchanged:\n{reasons}"
    # Trying again cannot fix what only people can.
    return AirflowFailException(message) if all(outcome.needs_people for outcome in failed) else HoaOpsError(message)
