"""The task that speaks for those that could not: killed, they leave no error and call no callback."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.providers.common.compat.sdk import BaseOperator

from hoa_ops.monitoring.alerts.channels import tell
from hoa_ops.monitoring.alerts.failed_task import NO_ERROR, TOLD, FailedTask

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context


class NoticeKilledTasksOperator(BaseOperator):
    """Tell people of the failed tasks of this run that have not done so themselves.

    Airflow runs the failure callback in the task's own process. A process killed in its last try, as the kernel does
    when memory runs out, takes the callback with it (apache/airflow#60858), and nobody would hear of it before the
    deadline. A task that was lost together with its worker may be told of twice: here, and by the DAG processor.
    """

    def execute(self, context: Context) -> None:
        """Tell of each failed task that left no word that people know."""
        ti = context["ti"]
        for task in ti.get_task_breadcrumbs(ti.dag_id, ti.run_id):  # type: ignore[attr-defined]
            task_id, map_index = task["task_id"], task["map_index"]
            if task["state"] != "failed":
                continue
            if ti.xcom_pull(task_ids=task_id, key=TOLD, map_indexes=map_index):
                self.log.info("%s failed and has told so itself", task_id)
                continue
            self.log.warning("%s failed without a word", task_id)
            tell(FailedTask(ti.dag_id, ti.run_id, task_id, map_index, "the last", NO_ERROR).alert)
