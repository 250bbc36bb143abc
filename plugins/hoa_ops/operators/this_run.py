"""What a task reads from its context: which run this is, what it was asked to do, and whether anybody asked for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowFailException, AirflowSkipException
from airflow.sdk.execution_time import task_runner

from hoa_ops.errors import HoaOpsError, RequestError
from hoa_ops.jobs.run_request import RunDate, RunRequest
from hoa_ops.jobs.schedule import moment_of
from hoa_ops.settings import get_settings

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from hoa_ops.jobs import Job

CHECK_PARAMS = "check_params"
"""Id of the task that decides whether a run may do anything."""

TEMPORARY_RUN = "__airflow_temporary_run_"
"""How the id of a run begins that ``airflow tasks test`` makes temporarily."""

DAG_TEST_USER = "dag_test"
"""Who triggered a run that ``airflow dags test`` made."""


@dataclass(frozen=True)
class ThisRun:
    """The run that a task belongs to.

    :param by_hand: a person or a program asked for it, rather than the schedule.
    """

    dag_run_id: str
    request: RunRequest
    run_date: RunDate
    by_hand: bool

    @classmethod
    def of(cls, context: Context, job: Job) -> ThisRun:
        """Read it.

        :param job: the job that asks; for what is not about one job, any job of the DAG.
        :raises AirflowFailException: at once and for good, with a sentence that says which param to change.
        """
        dag_run = context["dag_run"]
        by_hand = dag_run.run_type != "scheduled"
        try:
            request = job.request.read(context["params"])
            run_date = RunDate.of(request, _moment(dag_run, job, by_hand=by_hand), job=job)
        except RequestError as error:
            raise refusal(error) from None
        return cls(dag_run.run_id, request, run_date, by_hand)


def _moment(dag_run: Any, job: Job, *, by_hand: bool) -> datetime:
    # A run by hand may have no logical date.
    moment: datetime = dag_run.logical_date or dag_run.run_after
    if by_hand and moment.astimezone(UTC).timetz() == time(tzinfo=UTC):
        # Somebody typed a day, which Airflow takes for midnight in UTC: in America, the evening before.
        return moment_of(job, moment.astimezone(UTC).date(), get_settings().zone)
    return moment


def refusal(error: HoaOpsError) -> AirflowFailException:
    """Return the error that ends a run at once, without another try."""
    return AirflowFailException(f"This run was refused and nothing was touched: {error}.")


def stop_if_nobody_asked(context: Context) -> None:
    """Stop a task of a run that was made for a test on the command line, and that a scheduler carries out.

    ``airflow tasks test`` and ``airflow dags test`` make a run in Airflow's database. Where the DAG is not paused, a
    scheduler sees it and carries it out, whatever params the command was given.

    :raises AirflowSkipException: saying so.
    """
    if _is_test_on_the_command_line():
        return
    dag_run = context["dag_run"]
    if dag_run.run_id.startswith(TEMPORARY_RUN):
        raise AirflowSkipException(
            "This is the temporary run of an `airflow tasks test` command; the scheduler picked it up: nothing is done."
        )
    if getattr(dag_run, "triggering_user_name", None) == DAG_TEST_USER:
        raise AirflowSkipException(
            "This run belongs to an `airflow dags test` command, which carries it out itself: nothing is done."
        )


def stop_if_refused(context: Context) -> None:
    """Stop a task of a run that nobody asked for, or that ``check_params`` has refused.

    The tasks follow one another whatever became of the one before, so that a job that fails or is not due does not keep
    the rest from their work. Only a refused run must do nothing at all.

    :raises AirflowSkipException: saying so.
    """
    stop_if_nobody_asked(context)
    ti = context["ti"]
    if context["dag_run"].run_id.startswith(TEMPORARY_RUN):
        # The task was asked for alone; what a scheduler made of the others is of no account.
        return
    for task in ti.get_task_breadcrumbs(ti.dag_id, ti.run_id):  # type: ignore[attr-defined] # not in its stub
        if task["task_id"] == CHECK_PARAMS and task["state"] != "success":
            raise AirflowSkipException("This run was refused, see check_params: nothing is done.")


def _is_test_on_the_command_line() -> bool:
    """Say whether this process is the command itself: then the task runs in it, and not in a process of a worker."""
    comms = getattr(task_runner, "SUPERVISOR_COMMS", None)
    return type(comms).__name__ == "InProcessSupervisorComms"
