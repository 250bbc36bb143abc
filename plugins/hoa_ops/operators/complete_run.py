"""The last task of a run: the run is as good as its worst task, and nobody fails in silence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowFailException, BaseOperator

from hoa_ops.monitoring.alerts.channels import tell
from hoa_ops.monitoring.alerts.failed_task import NO_ERROR, TOLD, FailedTask

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow.providers.common.compat.sdk import Context


class CompleteRunOperator(BaseOperator):
    """Fail the run if one of its tasks failed, and tell people of those that could not do so themselves.

    Airflow runs the failure callback in the task's own process. A process killed in its last try, as the kernel does
    when memory runs out, takes the callback with it (apache/airflow#60858), and nobody would hear of it before the
    deadline. A task that was lost together with its worker may be told of twice: here, and by the DAG processor.
    """

    def execute(self, context: Context) -> None:
        """Look at the run's other tasks.

        :raises AirflowFailException: naming those that failed.
        """
        ti = context["ti"]
        failed = list(_failed_tasks(ti))
        for task_id, map_index in failed:
            if ti.xcom_pull(task_ids=task_id, key=TOLD, map_indexes=map_index):
                self.log.info("%s failed and has sent its alert itself", task_id)
                continue
            self.log.warning("%s failed without an alert", task_id)
            tell(FailedTask(ti.dag_id, ti.run_id, task_id, map_index, "the last", NO_ERROR).alert)
        if failed:
            names = ", ".join(dict.fromkeys(task_id for task_id, _ in failed))
            raise AirflowFailException(f"This run failed in {names}: see the log of each.")


def _failed_tasks(ti: Any) -> Iterator[tuple[str, int]]:
    for task in ti.get_task_breadcrumbs(ti.dag_id, ti.run_id):
        if task["state"] == "failed":
            yield task["task_id"], task["map_index"]
