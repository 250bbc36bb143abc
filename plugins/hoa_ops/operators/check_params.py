"""The first task of every DAG: refuse a run that cannot mean what it says."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowFailException, AirflowSkipException, BaseOperator

from hoa_ops.database import Database
from hoa_ops.engine.tenants import tenants_in_scope
from hoa_ops.errors import HoaOpsError, NotReadyError, RequestError
from hoa_ops.jobs.run_request import RunDate
from hoa_ops.schema.migrations import check_version
from hoa_ops.settings import get_settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.providers.common.compat.sdk import Context

    from hoa_ops.jobs import Job
    from hoa_ops.jobs.run_request import RunRequest


CHECK_PARAMS = "check_params"
"""Id of the task that decides whether a run may do anything."""

WIDTH_OF_A_LOG = 90
"""Characters that Airflow's page shows of a line on an ordinary screen; of a longer one it cuts off the rest."""


def read_request(context: Context, job: Job) -> tuple[RunRequest, RunDate]:
    """Read what a run was asked to do, and the date it stands for.

    :param job: the job that asks; for what is not about one job, any job of the DAG.
    :raises AirflowFailException: at once and for good, with a sentence that says which param to change.
    """
    dag_run = context["dag_run"]
    try:
        request = job.request.read(context["params"])
        # A manual run may have no logical date.
        return request, RunDate.of(request, dag_run.logical_date or dag_run.run_after, job=job)
    except RequestError as error:
        raise refusal(error) from None


def stop_if_refused(context: Context) -> None:
    """Stop a task of a run that ``check_params`` has refused.

    The tasks follow one another whatever became of the one before, so that a job that fails or is not due does not keep
    the rest from their work. Only a refused run must do nothing at all.

    :raises AirflowSkipException: when the run was refused.
    """
    ti = context["ti"]
    for task in ti.get_task_breadcrumbs(ti.dag_id, ti.run_id):  # type: ignore[attr-defined] # not in its stub
        if task["task_id"] == CHECK_PARAMS and task["state"] != "success":
            raise AirflowSkipException("This run was refused, see check_params: nothing is done.")


def refusal(error: HoaOpsError) -> AirflowFailException:
    """Return the error that ends a run at once, without another try."""
    return AirflowFailException(f"This run was refused and nothing was touched: {error}.")


class CheckParamsOperator(BaseOperator):
    """Check a run's params, alone and against the database, before any other task touches anything.

    :param jobs: the jobs of the DAG.
    """

    def __init__(self, *, jobs: Sequence[Job], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.jobs = jobs

    def execute(self, context: Context) -> None:
        """Log what the run was asked to do.

        :raises AirflowFailException: when a param is wrong, contradicts another, or names what does not exist, or when
            the tables are not those of this version of the package.
        """
        try:
            self._check(context)
        except AirflowFailException as refused:
            for line in textwrap.wrap(str(refused), WIDTH_OF_A_LOG):
                self.log.error("%s", line)  # noqa: TRY400 - the trace is in the log anyway, below
            raise

    def _check(self, context: Context) -> None:
        request, run_date = read_request(context, self.jobs[0])
        with (
            Database(get_settings().database_conn_id) as database,
            database.transaction(read_only=True) as cursor,
        ):
            try:
                check_version(cursor)
                tenants = tenants_in_scope(cursor, request)
            except (NotReadyError, RequestError) as error:
                raise refusal(error) from None
        self.log.info(
            "%s as of %s for %d association(s)",
            "Dry run" if request.dry_run else "Live run",
            run_date.as_of,
            len(tenants),
        )
