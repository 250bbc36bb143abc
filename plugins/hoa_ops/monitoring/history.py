"""The history of the jobs, for people: what ran, what it posted, what failed, what is late, what waits.

Everything is read from the run ledger and the outbox, whose figures are added up when a run ends, so that a history of
many runs is quick to show. Associations are named, people are not.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import ROUND_CEILING, Decimal
from itertools import groupby
from typing import TYPE_CHECKING, Any

from hoa_ops.associations import find_association
from hoa_ops.database import query
from hoa_ops.delivery.message_state import UNFINISHED, Channel, MessageState
from hoa_ops.errors import RequestError
from hoa_ops.jobs import (
    ASSESS_LATE_FEES,
    CHECK_BUDGET_VARIANCES,
    ESCALATE_VIOLATIONS,
    GENERATE_INVOICES,
    JOBS,
    Job,
)
from hoa_ops.jobs.schedule import next_tick
from hoa_ops.monitoring.health import STUCK, JobState, check_health
from hoa_ops.settings import get_settings
from hoa_ops.templates import money

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from uuid import UUID

    from hoa_ops.database import Cursor, Row

MONTHS_SHOWN = 12
RUNS_PER_JOB = 5
RUNS_PER_PAGE = 50
FAILURES_SHOWN = 10
ATTEMPTS_SHOWN = 50
ASSOCIATIONS_SHOWN = 500


DAG_IDS = tuple(dict.fromkeys(job.dag_id for job in JOBS))


@dataclass(frozen=True)
class Measure:
    """Something that is shown month by month.

    :param total: which sum of money of the job's runs; without one, the items they posted are counted.
    """

    title: str
    job: Job
    total: str | None = None


MEASURES = (
    Measure("Invoiced", GENERATE_INVOICES, "invoiced"),
    Measure("Late fees", ASSESS_LATE_FEES, "late_fees"),
    Measure("Fines", ESCALATE_VIOLATIONS, "fines"),
    Measure("Budget alerts", CHECK_BUDGET_VARIANCES),
)


@dataclass(frozen=True)
class Bar:
    """A bar of a trend, in the units of the picture, and what it says when pointed at."""

    x: float
    y: float
    width: float
    height: float
    series: str
    says: str


@dataclass(frozen=True)
class Trend:
    """A picture of figures by month: bars, one upon the other where there is more than one series.

    :param series: per name of a series its figures, one a month.
    :param in_dollars: whether they are dollars rather than counts.
    """

    title: str
    months: Sequence[date]
    series: Mapping[str, Sequence[Decimal]]
    in_dollars: bool = False

    WIDTH = 200
    HEIGHT = 64
    GAP = 4

    @property
    def latest(self) -> str:
        """The figure of the last month in the first series."""
        return self._write(next(iter(self.series.values()))[-1])

    @property
    def besides(self) -> str:
        """The figures of the last month in the other series, with their names."""
        return ", ".join(f"{self._write(figures[-1])} {name}" for name, figures in [*self.series.items()][1:])

    @property
    def has_figures(self) -> bool:
        """Whether there is anything but zeros."""
        return any(map(any, self.series.values()))

    @property
    def ceiling(self) -> Decimal:
        """The round figure that the top of the picture stands for."""
        highest = max(map(sum, zip(*self.series.values(), strict=True)), default=0) or Decimal(1)
        step = Decimal(10) ** Decimal(highest).adjusted() / 5
        return max((highest / step).to_integral_value(ROUND_CEILING) * step, Decimal(1))

    @property
    def ceiling_label(self) -> str:
        """The ceiling as it is written beside the picture."""
        return f"{'$' if self.in_dollars else ''}{self.ceiling:,.0f}"

    @property
    def bars(self) -> Iterable[Bar]:
        """All bars, from left to right and from the ground up."""
        step = self.WIDTH / len(self.months)
        for position, month in enumerate(self.months):
            ground = float(self.HEIGHT)
            for name, figures in self.series.items():
                if figures[position] > 0:
                    height = max(float(figures[position] / self.ceiling * self.HEIGHT), 1.5)
                    ground -= height
                    says = f"{month:%B %Y}: {self._write(figures[position])} {name}"
                    yield Bar(step * position + self.GAP / 2, ground, step - self.GAP, height, name, says)

    @property
    def ticks(self) -> Iterable[tuple[float, str]]:
        """Where each month is, and its letter."""
        step = self.WIDTH / len(self.months)
        return [(step * (position + 0.5), f"{month:%b}"[0]) for position, month in enumerate(self.months)]

    def _write(self, figure: Decimal) -> str:
        return money(figure) if self.in_dollars else f"{figure:,}"


def overview(cursor: Cursor, *, at: datetime) -> dict[str, Any]:
    """Return what the first page shows: the state of each job with its last runs, trends, failures, the outbox.

    :param at: the moment of the question, usually now.
    """
    health = check_health(cursor, at=at)
    runs = {name: list(rows) for name, rows in groupby(sorted(_runs(cursor, JOBS), key=_job_of), _job_of)}
    return {
        "health": health,
        "alert_channels": get_settings().alert_channels,
        "jobs": [(job, next_tick(job.job, at), runs.get(job.job.name, [])) for job in health.jobs],
        "late": [job.job.title for job in health.jobs if job.state == JobState.LATE],
        "rehearsed": [job.job.title for job in health.jobs if job.state == JobState.REHEARSAL],
        "stuck": {STUCK[alarm]: messages for alarm, messages in health.stuck.items()},
        "trends": _trends(cursor, at),
        "failures": cursor.rows(query("monitoring/history/failures.sql"), {"limit": FAILURES_SHOWN}),
        "unfinished": _unfinished(cursor),
        "associations": cursor.rows(query("monitoring/history/associations.sql"), {"limit": ASSOCIATIONS_SHOWN}),
        "titles": {job.name: job.title for job in JOBS},
    }


def job_runs(cursor: Cursor, job: Job, *, before: datetime | None) -> dict[str, Any]:
    """Return the newest runs of a job, or the newest before a moment."""
    runs = _runs(cursor, [job], limit=RUNS_PER_PAGE, before=before)
    older = runs[-1]["run_date"] if len(runs) == RUNS_PER_PAGE else None
    return {"job": job, "runs": runs, "older": older}


def job_run(cursor: Cursor, job: Job, dag_run_id: str) -> dict[str, Any]:
    """Return what one run did for each association.

    :raises RequestError: when the ledger has no such run.
    """
    runs = _runs(cursor, [job], limit=1, dag_run_id=dag_run_id)
    if not runs:
        raise RequestError(f"the run ledger has no run {dag_run_id!r} of {job}")
    rows = cursor.rows(
        query("monitoring/history/run.sql"),
        {"job": job.name, "dag_run_id": dag_run_id, "limit": ASSOCIATIONS_SHOWN},
    )
    return {"job": job, "run": runs[0], "associations": rows}


def association(cursor: Cursor, tenant: str, *, at: datetime) -> dict[str, Any]:
    """Return what was done for one association.

    :param tenant: its code, id or name.
    :raises RequestError: when there is none such.
    """
    found = find_association(cursor, tenant)
    tenant_id = found.tenant_id
    return {
        "association": found,
        "trends": _trends(cursor, at, tenant_id=tenant_id),
        "attempts": cursor.rows(
            query("monitoring/history/association_runs.sql"), {"tenant_id": tenant_id, "limit": ATTEMPTS_SHOWN}
        ),
        "unfinished": _unfinished(cursor, tenant_id=tenant_id),
        "titles": {job.name: job.title for job in JOBS},
    }


def _runs(
    cursor: Cursor,
    jobs: Sequence[Job],
    *,
    limit: int = RUNS_PER_JOB,
    before: datetime | None = None,
    dag_run_id: str | None = None,
) -> list[Row]:
    return cursor.rows(
        query("monitoring/history/recent_runs.sql"),
        {
            "jobs": [str(job) for job in jobs],
            "limit": limit,
            "shards": get_settings().shards,
            "before": before,
            "dag_run_id": dag_run_id,
        },
    )


def _unfinished(cursor: Cursor, *, tenant_id: UUID | None = None) -> list[Row]:
    """Count the messages that are not finished, those first that a person must look at."""
    rows = cursor.rows(
        query("monitoring/history/unfinished.sql"),
        {"states": [str(state) for state in UNFINISHED], "tenant_id": tenant_id},
    )
    counted = [{**row, "state": MessageState(row["state"]), "channel": Channel(row["channel"])} for row in rows]
    return sorted(counted, key=lambda row: not row["state"].needs_person)


def _job_of(row: Row) -> str:
    name: str = row["job"]
    return name


def _trends(cursor: Cursor, at: datetime, *, tenant_id: UUID | None = None) -> list[Trend]:
    months = _months(at.date())
    since = datetime.combine(months[0], time.min, tzinfo=at.tzinfo)
    rows = cursor.rows(
        query("monitoring/history/trends.sql" if tenant_id is None else "monitoring/history/association_trends.sql"),
        {
            "names": [measure.title for measure in MEASURES],
            "jobs": [str(measure.job) for measure in MEASURES],
            "totals": [measure.total for measure in MEASURES],
            "since": since,
            "tenant_id": tenant_id,
        },
    )
    figures = {(row["name"], row["month"]): row["figure"] for row in rows}
    reminders = {
        row["month"]: row
        for row in cursor.rows(
            query("monitoring/history/reminders.sql"),
            {
                "since": since,
                "timezone": get_settings().timezone,
                "tenant_id": tenant_id,
                "failed": [str(state) for state in MessageState if state.needs_person],
            },
        )
    }
    return [
        Trend(
            measure.title,
            months,
            {measure.title.lower(): [Decimal(figures.get((measure.title, month)) or 0) for month in months]},
            in_dollars=measure.total is not None,
        )
        for measure in MEASURES
    ] + [
        Trend(
            "Reminders sent",
            months,
            {
                state: [Decimal(reminders[month][state] if month in reminders else 0) for month in months]
                for state in ("sent", "failed")
            },
        )
    ]


def _months(today: date) -> list[date]:
    """Return the first days of the months shown, up to this one."""
    months = [today.replace(day=1)]
    while len(months) < MONTHS_SHOWN:
        months.insert(0, (months[0] - timedelta(days=1)).replace(day=1))
    return months
