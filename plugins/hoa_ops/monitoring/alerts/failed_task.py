"""A task failed for good: who must know, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException, conf, redact

from hoa_ops.errors import HoaOpsError
from hoa_ops.monitoring.alerts.alert import Alert, Link
from hoa_ops.monitoring.alerts.channels import tell
from hoa_ops.monitoring.alerts.runbook import TASK_ADVICE

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

TOLD = "failure_told"
"""Key of the XCom by which a task that failed says that people know."""

LONGEST_ERROR = 300

NO_ERROR = (
    "It left no error: its process was killed (out of memory, perhaps), its worker was lost, no worker picked it up in "
    "time, or someone marked it as failed."
)


@dataclass(frozen=True)
class FailedTask:
    """What people are told of a task that failed.

    :param tries: such as ``2 of at most 4``.
    :param map_index: shard of a job that is divided, else -1.
    """

    dag_id: str
    run_id: str
    task_id: str
    map_index: int
    tries: str
    error: str

    @property
    def alert(self) -> Alert:
        """What people are told."""
        shard = f" (shard {self.map_index})" if self.map_index >= 0 else ""
        return Alert(
            subject=f"Failed: {self.task_id} of {self.dag_id}",
            sentence=f"The task {self.task_id}{shard} of {self.dag_id} failed.",
            error=self.error,
            facts={"Run": self.run_id, "Try": self.tries},
            advice=TASK_ADVICE[self.task_id],
            link=Link("Open the log", self.log_url),
        )

    @property
    def log_url(self) -> str:
        """Where Airflow shows the log of the last try."""
        shard = f"/mapped/{self.map_index}" if self.map_index >= 0 else ""
        return f"{run_url(self.dag_id, quote(self.run_id))}/tasks/{self.task_id}{shard}"


def tell_of_failure(context: Context) -> None:
    """Tell people of a task that failed for good: the ``on_failure_callback`` of every task.

    Airflow calls it in the task's own process, or, if that was lost together with its worker, in the DAG processor,
    which knows of no error.
    """
    ti = context["ti"]
    error = context.get("exception")
    failed = FailedTask(
        dag_id=ti.dag_id,
        run_id=ti.run_id,
        task_id=ti.task_id,
        map_index=-1 if ti.map_index is None else ti.map_index,
        tries=f"{ti.try_number}, not retried"
        if isinstance(error, AirflowFailException)
        else f"{ti.try_number} of at most {ti.max_tries + 1}",
        error=NO_ERROR if error is None else _neutral(first_line(error), context),
    )
    if tell(failed.alert) and error is not None:
        # Only the task's own process can leave word for the task `complete`.
        ti.xcom_push(key=TOLD, value=True)


def first_line(error: BaseException | str) -> str:
    """Return the first line of an error, of bounded length and without secrets.

    Errors of ours keep details and the associations' names off that line.
    """
    said = next(iter(str(error).strip().splitlines()), "")
    if not isinstance(error, HoaOpsError | AirflowException | str):
        said = f"{type(error).__name__}: {said}" if said else type(error).__name__
    said = str(redact(said)) or type(error).__name__
    return said if len(said) <= LONGEST_ERROR else f"{said[: LONGEST_ERROR - 1]}…"


def _neutral(said: str, context: Context) -> str:
    """Leave out which association a run was asked for; only a refusal quotes it."""
    tenant = context["params"].get("tenant")
    return said.replace(repr(tenant), "that was asked for") if tenant else said


def run_url(dag_id: str, quoted_run_id: str) -> str:
    """Return where Airflow shows a run."""
    base_url = conf.get("api", "base_url", fallback="http://localhost:8080").rstrip("/")
    return f"{base_url}/dags/{dag_id}/runs/{quoted_run_id}"
