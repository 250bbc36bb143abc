"""What the three DAGs have in common, so that each DAG file shows only what is its own."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Any

from hoa_ops.monitoring.alerts.failed_task import tell_of_failure
from hoa_ops.monitoring.alerts.runbook import RUNBOOK, TASK_ADVICE
from hoa_ops.settings import get_settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.providers.common.compat.sdk import MappedOperator

    from hoa_ops.jobs import Job
    from hoa_ops.operators.tenant_job import TenantJobOperator


def dag_defaults() -> dict[str, Any]:
    """Return the arguments that every DAG of the project is made with."""
    settings = get_settings()
    return {
        # No run is due before this; a fixed day, so that pausing and redeploying change nothing.
        "start_date": datetime(2025, 1, 1, tzinfo=settings.zone),
        # What was missed is caught up from the run ledger, not by one run per missed date.
        "catchup": False,
        # Nor by a backfill: it would take a violation through all its steps in one morning.
        "allowed_run_types": ["scheduled", "manual", "operator_triggered"],
        # Two runs at once are safe, and with 1 a run dated ahead, which counts as running until its day, would hold up
        # every run after it.
        "max_active_runs": 16,
        "default_args": {
            "owner": "hoa-ops",
            # Errors that only people can mend are not tried again, whatever this says.
            "retries": settings.task_retries,
            "retry_delay": timedelta(seconds=settings.task_retry_seconds),
            "retry_exponential_backoff": 2.0,
            "max_retry_delay": timedelta(hours=1),
            # On the tasks, because Airflow does not always call a DAG's own.
            "on_failure_callback": tell_of_failure,
        },
        "template_searchpath": [str(settings.sql_dir)],
    }


def dag_docs(docstring: str, jobs: Sequence[Job]) -> str:
    """Return the documentation of a DAG: its docstring, then what to do when a task fails, as its alerts say it.

    :param docstring: of the DAG file, as Markdown.
    :param jobs: that the DAG carries.
    """
    tasks = ["check_params", *(job.name for job in jobs), "deliver_messages", "report"]
    advice = [
        f"- {', '.join(f'`{task}`' for task in alike)}: {line}"
        for line, alike in groupby(tasks, key=lambda task: TASK_ADVICE[task].line)
    ]
    runbook = get_settings().runbook_url
    more = f"[the runbook]({runbook})" if runbook else f"the runbook (`{RUNBOOK}`)"
    return "\n".join([docstring.strip(), "", "#### When a task fails", "", *advice, "", f"For more, see {more}."])


def job_task(operator: type[TenantJobOperator], **arguments: Any) -> TenantJobOperator | MappedOperator:
    """Make the task of a job: plain with one shard, mapped over the literal list of shards with more.

    :param operator: the job's.
    :param arguments: of the task, beside its id and its SQL, which the job defines.
    """
    shards = get_settings().shards
    arguments |= {"task_id": operator.job.name, **operator.job.sql_files}
    if shards == 1:
        return operator(**arguments)
    return operator.partial(shards=shards, **arguments).expand(shard=list(range(shards)))
