"""The task that prints the closing report of a run, when the messages have gone out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowSkipException, BaseOperator

from hoa_ops.database import Database
from hoa_ops.delivery.message import message_outcomes
from hoa_ops.engine.go_live import Mode
from hoa_ops.engine.report import Report
from hoa_ops.engine.run_ledger import find_runs, recorded_outcomes
from hoa_ops.operators.this_run import ThisRun, stop_if_refused
from hoa_ops.settings import get_settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.providers.common.compat.sdk import Context

    from hoa_ops.jobs import Job


class PrintReportOperator(BaseOperator):
    """Print the reports of a live run's jobs again from the run ledger, with what became of their messages.

    :param jobs: the jobs of the DAG.
    """

    def __init__(self, *, jobs: Sequence[Job], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.jobs = jobs

    def execute(self, context: Context) -> None:
        """Log one report for every job that this DAG run did, as the run ledger has it.

        :raises AirflowSkipException: for a dry run, whose jobs have printed all there is to say.
        """
        stop_if_refused(context)
        dag_run_id = context["dag_run"].run_id
        request = ThisRun.of(context, self.jobs[0]).request
        if request.dry_run:
            raise AirflowSkipException("A dry run posts and sends nothing; its report is in the job's own log.")
        with (
            Database(get_settings().database_conn_id) as database,
            database.transaction(read_only=True) as cursor,
        ):
            runs = find_runs(cursor, dag_run_id=dag_run_id, jobs=self.jobs)
            reports = [
                Report(
                    run.job,
                    request,
                    run.run_date.astimezone(get_settings().zone),
                    recorded_outcomes(cursor, dag_run_id=dag_run_id, job=run.job),
                    message_outcomes(cursor, dag_run_id=dag_run_id, job=run.job),
                    mode=Mode.LIVE,
                    switched_off=run.status == "switched_off",
                )
                for run in runs
            ]
        if not reports:
            self.log.info("The run ledger has no run of this DAG run: no job posted anything.")
        for report in reports:
            for line in report.lines():
                self.log.info("%s", line)
