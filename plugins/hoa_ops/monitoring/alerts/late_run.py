"""A run has not succeeded by its deadline: Airflow's triggerer tells, whatever became of the run."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import AsyncCallback, DeadlineAlert, DeadlineReference  # type: ignore[attr-defined] # not in its stub

from hoa_ops.monitoring.alerts.alert import Alert, Link
from hoa_ops.monitoring.alerts.channels import channels
from hoa_ops.monitoring.alerts.failed_task import run_url
from hoa_ops.monitoring.alerts.runbook import LATE_RUN
from hoa_ops.settings import get_settings


def deadline_alerts(dag_id: str, minutes: float) -> list[DeadlineAlert] | None:
    """Return the deadline of a DAG's runs, once for each channel.

    The notifiers are the providers' own, as not every platform has this package on its triggerer.

    :param minutes: from the queueing of a run to the time by which it must have succeeded.
    :returns: None if deadlines are switched off or no alert channel is configured.
    """
    if not get_settings().deadlines:
        return None
    return [
        DeadlineAlert(
            reference=DeadlineReference.DAGRUN_QUEUED_AT,
            interval=timedelta(minutes=minutes),
            callback=AsyncCallback(channel.notifier, kwargs=dict(channel.arguments)),
            name=f"{dag_id} is late ({channel.name})",
        )
        for channel in channels(_alert(dag_id, minutes))
    ] or None


def _alert(dag_id: str, minutes: float) -> Alert:
    # What only the run knows is left to the notifier, as templates of Airflow's.
    return Alert(
        subject=f"Late: {dag_id}",
        sentence=f"A run of {dag_id} has not succeeded within {minutes:g} minutes.",
        icon="hourglass",
        facts={
            "Run": "{{ dag_run.dag_run_id | e }}",
            "State": "{{ dag_run.state | e }}",
            "Queued at": "{{ dag_run.queued_at | e }}",
        },
        advice=LATE_RUN,
        link=Link("Open the run", run_url(dag_id, "{{ dag_run.dag_run_id | urlencode }}")),
    )
