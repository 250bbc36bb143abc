"""The command ``plan``: the plan of the DAGs' own tasks."""

from pathlib import Path

from airflow.dag_processing.dagbag import DagBag

from hoa_ops.jobs import JOBS
from hoa_ops.settings import get_settings

DAGS = Path(__file__).resolve().parents[3] / "dags"


def test_plan_is_that_of_the_dag_s_task():
    dags = DagBag(DAGS).dags.values()
    tasks = {task.job: task for dag in dags for task in dag.tasks if hasattr(task, "plan_sql")}
    # Airflow has read the file by now.
    assert {job: task.plan_sql for job, task in tasks.items()} == {
        job: (get_settings().sql_dir / job.name / "plan.sql").read_text() for job in JOBS
    }
