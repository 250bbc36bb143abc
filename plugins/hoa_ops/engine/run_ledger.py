"""The run ledger: which job ran when, for which associations, with which outcome."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from hoa_ops.database import as_json, query
from hoa_ops.engine.report import AssociationOutcome
from hoa_ops.jobs import job_named

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from hoa_ops.database import Cursor
    from hoa_ops.engine.go_live import Mode
    from hoa_ops.jobs import Job
    from hoa_ops.jobs.run_request import RunDate, RunRequest


@dataclass(frozen=True)
class LedgerRun:
    """The ledger's row of one run of a job, live or in rehearsal.

    :param run_id: its key; documents and messages carry it.
    """

    run_id: UUID

    @classmethod
    def open(
        cls,
        cursor: Cursor,
        job: Job,
        request: RunRequest,
        run_date: RunDate,
        *,
        mode: Mode,
        dag_run_id: str,
        shard: int,
    ) -> LedgerRun:
        """Open the run, or take it up again after a retry.

        :param mode: live or rehearsal; nobody keeps a record of a dry run.
        """
        row = cursor.row(
            query("engine/open_run.sql"),
            {
                "job": job.name,
                "dag_run_id": dag_run_id,
                "shard": shard,
                "as_of": run_date.as_of,
                "run_date": run_date.moment,
                "mode": mode,
                "options": as_json(request.options),
                "narrowed": request.narrowed,
            },
        )
        assert row is not None  # noqa: S101 - INSERT … RETURNING always gives a row
        return cls(row["id"])

    def record(
        self,
        cursor: Cursor,
        tenant_id: UUID,
        status: Literal["posted", "rehearsed", "failed"],
        *,
        items: Sequence[Mapping[str, Any]] = (),
        counts: Mapping[str, int] | None = None,
        totals: Mapping[str, Any] | None = None,
        error: str | None = None,
    ) -> None:
        """Record what this attempt did for an association.

        Call it in the posting transaction; for one that failed, after its transaction was rolled back.

        :param items: what was posted, or in a rehearsal would have been.
        :param error: why it was not posted.
        """
        cursor.run(
            query("engine/record_tenant.sql"),
            {
                "run_id": self.run_id,
                "tenant_id": tenant_id,
                "status": status,
                "items": as_json(list(items)),
                "counts": as_json(counts or {}),
                "totals": as_json(totals or {}),
                "error": error,
            },
        )

    def finish(self, cursor: Cursor, status: Literal["completed", "failed", "switched_off"]) -> None:
        """Close the run. Only ``completed`` proves that the job was done."""
        cursor.run(query("engine/finish_run.sql"), {"run_id": self.run_id, "status": status})


@dataclass(frozen=True)
class RecordedRun:
    """A job of a DAG run, as the ledger has it, its shards taken together."""

    job: Job
    run_date: datetime
    status: str


def find_runs(cursor: Cursor, *, dag_run_id: str, jobs: Sequence[Job]) -> list[RecordedRun]:
    """Return the jobs that a DAG run did live, in the order of ``jobs``."""
    rows = cursor.rows(query("engine/find_runs.sql"), {"dag_run_id": dag_run_id, "jobs": [str(job) for job in jobs]})
    return [RecordedRun(job_named(row["job"]), row["run_date"], row["status"]) for row in rows]


def recorded_outcomes(cursor: Cursor, *, dag_run_id: str, job: Job) -> list[AssociationOutcome]:
    """Return what a DAG run's job did for each association, over all its attempts and shards."""
    rows = cursor.rows(query("engine/run_items.sql"), {"dag_run_id": dag_run_id, "job": job.name})
    return [AssociationOutcome(row["code"], row["name"], row["items"], row["error"]) for row in rows]


def completed_since(cursor: Cursor, job: Job, tick: datetime, *, shards: int, other_than: str) -> str | None:
    """Return the DAG run that did a job for all associations at or after a tick, if one did.

    :param shards: how many parts the job is divided into; all must have completed.
    :param other_than: a DAG run that does not count: a task that is tried again is to do its work again.
    """
    row = cursor.row(
        query("engine/completed_since.sql"),
        {"job": job.name, "tick": tick, "shards": shards, "other_than": other_than},
    )
    return None if row is None else str(row["dag_run_id"])
