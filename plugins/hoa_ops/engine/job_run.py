"""How every job works: plan, post, report; one transaction per association."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hoa_ops.database import Database, DatabaseError, query
from hoa_ops.delivery.message import enqueue, message_outcomes
from hoa_ops.engine.go_live import Mode
from hoa_ops.engine.report import AssociationOutcome, Report, count_actions, totals
from hoa_ops.engine.run_ledger import LedgerRun
from hoa_ops.engine.tenants import tenants_in_scope
from hoa_ops.errors import PostingError

if TYPE_CHECKING:
    from hoa_ops.database import Row
    from hoa_ops.engine.tenants import Tenant
    from hoa_ops.jobs import Job
    from hoa_ops.jobs.run_request import RunDate, RunRequest


@dataclass(frozen=True)
class JobSql:
    """The SQL of a job, as text.

    :param plan: what would be posted, one row per item.
    :param post: posts what the plan says; returns its rows.
    :param messages: the facts of the messages that the run's postings call for.
    :param lock: keeps people from changing what is about to be decided. Document numbers are locked anyway.
    """

    plan: str
    post: str
    messages: str
    lock: str | None = None

    @classmethod
    def of(cls, job: Job) -> JobSql:
        """Read a job's SQL from ``include/sql``."""
        return cls(**{name.removesuffix("_sql"): query(path) for name, path in job.sql_files.items()})


class JobRun:
    """One run of a job, or a shard of it, over the associations that it is for.

    A dry run executes the plan in a read-only transaction; so does a rehearsal, which is put on record besides. A live
    run locks, posts (with the same plan), puts the
    messages into the outbox and records the outcome in the run ledger, all in one transaction per association. An
    association that fails is rolled back alone, and the others are still done.

    :param database: the associations' database, open.
    :param mode: live, a dry run, or a rehearsal.
    :param dag_run_id: by which the run ledger knows the run; a run with the same id is the same run again.
    :param shard: which part of the associations this is, counted from 0.
    :param shards: into how many parts they are divided.
    """

    def __init__(
        self,
        database: Database,
        job: Job,
        request: RunRequest,
        run_date: RunDate,
        *,
        sql: JobSql,
        mode: Mode,
        dag_run_id: str,
        shard: int = 0,
        shards: int = 1,
    ) -> None:
        self._database = database
        self._job = job
        # What would be posted reads the same in a rehearsal.
        self._request = request if mode is Mode.LIVE else request.model_copy(update={"dry_run": True})
        self._mode = mode
        self._run_date = run_date
        self._sql = sql
        self._dag_run_id = dag_run_id
        self._shard = shard
        self._shards = shards

    def execute(self, *, switched_off: bool = False) -> Report:
        """Do the job for every association, and report.

        :param switched_off: of a run that would post, make a record only, and do nothing.
        :raises RequestError: when the run was narrowed to what cannot be worked on; then nothing was touched.
        """
        switched_off = switched_off and self._mode is not Mode.DRY_RUN
        tenants = [] if switched_off else self._tenants()
        run = None if self._mode is Mode.DRY_RUN else self._open()
        outcomes = [self._outcome(tenant, run) for tenant in tenants]
        messages = {}
        if run is not None:
            failed = any(outcome.error for outcome in outcomes)
            with self._database.transaction() as cursor:
                run.finish(cursor, "switched_off" if switched_off else "failed" if failed else "completed")
                messages = message_outcomes(cursor, dag_run_id=self._dag_run_id, job=self._job)
        return Report(
            self._job,
            self._request,
            self._run_date.moment,
            outcomes,
            messages,
            mode=self._mode,
            switched_off=switched_off,
        )

    def _outcome(self, tenant: Tenant, run: LedgerRun | None) -> AssociationOutcome:
        try:
            items = self._post(tenant, run) if run is not None and self._mode is Mode.LIVE else self._plan(tenant)
        except (PostingError, DatabaseError) as error:
            if run is not None:
                with self._database.transaction() as cursor:
                    run.record(cursor, tenant.tenant_id, "failed", error=str(error))
            return AssociationOutcome.failed(tenant, error)
        if run is not None and self._mode is Mode.REHEARSAL:
            with self._database.transaction() as cursor:
                run.record(cursor, tenant.tenant_id, "rehearsed", items=items, **self._figures(items))
        return AssociationOutcome(tenant.code, tenant.name, items)

    def _figures(self, items: list[Row]) -> dict[str, Any]:
        return {"counts": count_actions(items), "totals": totals(self._job, items)}

    def _tenants(self) -> list[Tenant]:
        with self._database.transaction(read_only=True) as cursor:
            return tenants_in_scope(cursor, self._request, shard=self._shard, shards=self._shards)

    def _open(self) -> LedgerRun:
        with self._database.transaction() as cursor:
            return LedgerRun.open(
                cursor,
                self._job,
                self._request,
                self._run_date,
                mode=self._mode,
                dag_run_id=self._dag_run_id,
                shard=self._shard,
            )

    def _plan(self, tenant: Tenant) -> list[Row]:
        with self._database.transaction(read_only=True) as cursor:
            cursor.run(query("engine/expect_many_rows.sql"))
            return cursor.rows(self._sql.plan, self._parameters(tenant))

    def _post(self, tenant: Tenant, run: LedgerRun) -> list[Row]:
        parameters = {**self._parameters(tenant), "run_id": run.run_id}
        with self._database.transaction() as cursor:
            cursor.run(query("engine/expect_many_rows.sql"))
            cursor.run(query("engine/open_counters.sql"), parameters)
            cursor.run(query("engine/lock_tenant.sql"), parameters)
            if self._sql.lock is not None:
                cursor.run(self._sql.lock, parameters)
            items = cursor.rows(self._sql.post, parameters)
            facts = cursor.rows(self._sql.messages, parameters)
            enqueue(cursor, self._job, facts, tenant_id=tenant.tenant_id, run_id=run.run_id)
            run.record(cursor, tenant.tenant_id, "posted", items=items, **self._figures(items))
        return items

    def _parameters(self, tenant: Tenant) -> dict[str, Any]:
        own = {name: getattr(self._request, name) for name in self._job.parameters}
        as_of = self._run_date.as_of
        return {"tenant_id": tenant.tenant_id, "owner_id": None, "as_of": as_of, "received_by": as_of, **own}
