"""Runs single tasks of the real DAG files in this process, with the context that Airflow would give them."""

import importlib.util
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch
from zoneinfo import ZoneInfo

from airflow.sdk import DAG

DAGS = Path(__file__).resolve().parents[2] / "dags"
ZONE = ZoneInfo("America/New_York")


@cache
def load_dag(dag_id: str) -> DAG:
    spec = importlib.util.spec_from_file_location(dag_id, DAGS / f"{dag_id}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    dag: DAG = next(task.dag for name, task in vars(module).items() if name == "check_params")
    return dag


@dataclass
class Outcome:
    """What a task returned, logged and raised."""

    returned: Any = None
    log: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "\n".join(self.log)


class _Recorder:
    def __init__(self, lines: list[str]) -> None:
        self._lines = lines

    def info(self, message: str, *arguments: Any) -> None:
        self._lines.append(message % arguments if arguments else message)

    warning = error = debug = exception = info


class JobRunner:
    """Runs a task as ``airflow tasks test`` would, but without starting Airflow.

    Keeps the last outcome, so that the log can be read even when the task raised.
    """

    def __init__(self) -> None:
        self.last = Outcome()
        self.breadcrumbs: list[dict[str, Any]] = []

    def run(
        self,
        dag_id: str,
        task_id: str,
        *,
        on: date | datetime,
        dag_run_id: str | None = None,
        run_type: str = "manual",
        today: date | None = None,
        **params: Any,
    ) -> Outcome:
        """Run one task.

        :param on: the run's date (then at noon) or moment, in New York unless it says otherwise.
        :param dag_run_id: default: one per date, so that two calls are a run and its retry.
        :param run_type: manual, or scheduled: a tick of the DAG's schedule.
        :param today: the day on which it is carried out (default: its own).
        """
        moment = on if isinstance(on, datetime) else datetime.combine(on, time(12), tzinfo=ZONE)
        dag = load_dag(dag_id)
        task: Any = dag.get_task(task_id).prepare_for_execution()
        self.last = Outcome()
        context: Any = {
            "ti": SimpleNamespace(dag_id=dag_id, run_id=dag_run_id, get_task_breadcrumbs=lambda *_: self.breadcrumbs),
            "params": {name: dag.params[name] for name in dag.params} | params,
            "dag_run": SimpleNamespace(
                run_id=dag_run_id or f"manual__{moment.isoformat()}",
                dag_id=dag_id,
                run_type=run_type,
                logical_date=moment.astimezone(UTC),
                run_after=moment.astimezone(UTC),
                conf=params,
            ),
        }
        task.render_template_fields(context, task.get_template_env(dag))
        task._cached_logger = _Recorder(self.last.log)
        # A run is carried out on its day.
        with patch("hoa_ops.engine.live_dates._today", return_value=today or moment.date()):
            # The wrapper of execute() warns that this is no task runner; what it wraps is the operator's own method.
            self.last.returned = type(task).execute.__wrapped__(task, context)
        return self.last

    def escalate(self, *, on: date | datetime, **params: Any) -> Outcome:
        return self.run("hoa_violation_escalation", "escalate_violations", on=on, **params)

    def check_budgets(self, *, on: date | datetime, **params: Any) -> Outcome:
        return self.run("hoa_budget_variance", "check_budget_variances", on=on, **params)

    def billing(self, job: str, *, on: date | datetime, **params: Any) -> Outcome:
        """Run one billing job explicitly, whether or not it is due."""
        return self.run("hoa_monthly_billing", job, on=on, job=job, **params)
