"""How every job works: plan, post, report, one transaction per association."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.common.compat.sdk import (
    AirflowFailException,
    AirflowSkipException,
    BaseOperator,
    Variable,
)

from hoa_ops.database import Database, DatabaseError, statement
from hoa_ops.delivery.message import message_states
from hoa_ops.engine.report import AssociationOutcome, Report, count_actions
from hoa_ops.engine.run_ledger import LedgerRun
from hoa_ops.engine.tenants import tenants_in_scope
from hoa_ops.errors import HoaOpsError, PostingError, RequestError
from hoa_ops.operators.check_params import read_request, refusal
from hoa_ops.settings import get_settings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow.providers.common.compat.sdk import Context

    from hoa_ops.database import Cursor
    from hoa_ops.delivery.message import MessageKind
    from hoa_ops.engine.report import Row
    from hoa_ops.engine.tenants import Tenant
    from hoa_ops.jobs.run_request import RunDate, RunRequest
    from hoa_ops.jobs.schedule import Job

SWITCHED_OFF_VARIABLE = "hoa_ops_switched_off"
"""Airflow Variable naming the jobs that must not run live for now, separated by commas or spaces."""


class TenantJobOperator(BaseOperator):
    """Do one job for all associations of a run.

    A dry run executes ``plan_sql`` in a read-only transaction. A live run locks, posts (``post_sql``, which
    includes the same plan), puts the messages into the outbox (``messages_sql``) and records the outcome in the run
    ledger, all in one transaction per association. An association that fails is rolled back alone and fails the task
    at the end, after all the others are done.

    A subclass names its job, its request model and its kind of message, and says which parameters its plan takes.

    :param plan_sql: the plan, one row per item with ``item_id``, ``action`` and ``reason`` (templated)
    :param post_sql: the posting; returns the rows of the plan with the ``reference_id`` of what was posted (templated)
    :param messages_sql: the facts of the messages that the run's postings call for (templated)
    :param lock_sql: statement that keeps people from changing what is about to be decided; document numbers are locked
        anyway (templated)
    :param shard: which part of the associations this task does, counted from 0
    :param shards: into how many parts they are divided
    :param conn_id: Airflow Connection to the associations' database; default: the setting ``database_conn_id``
    """

    template_fields: Sequence[str] = ("lock_sql", "plan_sql", "post_sql", "messages_sql")
    template_ext: Sequence[str] = (".sql",)
    template_fields_renderers: ClassVar[dict[str, str]] = dict.fromkeys(template_fields, "sql")

    job: ClassVar[Job]
    request_model: ClassVar[type[RunRequest]]
    message_kind: ClassVar[MessageKind]

    def __init__(
        self,
        *,
        plan_sql: str,
        post_sql: str,
        messages_sql: str,
        lock_sql: str | None = None,
        shard: int = 0,
        shards: int = 1,
        conn_id: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.lock_sql = lock_sql
        self.plan_sql = plan_sql
        self.post_sql = post_sql
        self.messages_sql = messages_sql
        self.shard = shard
        self.shards = shards
        self.conn_id = conn_id

    def skip_reason(self, cursor: Cursor, request: RunRequest, run_date: RunDate, *, dag_run_id: str) -> str | None:
        """Say why the job is not for this run at all, dry or live; then nothing is looked at or recorded."""

    @classmethod
    def plan_parameters(cls, request: RunRequest) -> Mapping[str, Any]:
        """Return the bound parameters of the plan beyond ``tenant_id`` and ``as_of``."""
        raise NotImplementedError

    def totals(self, items: Sequence[Row]) -> Mapping[str, Any]:
        """Return the sums of money that the ledger and the task's return value show."""
        raise NotImplementedError

    @classmethod
    def plan(
        cls, database: Database, tenant: Tenant, request: RunRequest, run_date: RunDate, *, plan_sql: str
    ) -> list[Row]:
        """Return what a run would do for an association, in a transaction that cannot write.

        :raises PostingError: when the association lacks what a posting needs.
        :raises DatabaseError: when the statement failed.
        """
        with database.transaction(read_only=True) as cursor:
            cursor.run(statement("engine/plan_for_many_rows.sql"))
            return cursor.rows(plan_sql, cls._bound(tenant, request, run_date))

    @classmethod
    def _bound(cls, tenant: Tenant, request: RunRequest, run_date: RunDate) -> dict[str, Any]:
        return {
            "tenant_id": tenant.tenant_id,
            "owner_id": None,
            "as_of": run_date.as_of,
            **cls.plan_parameters(request),
        }

    def execute(self, context: Context) -> dict[str, Any]:
        """Do the job and log its report; return counts and totals.

        :raises AirflowSkipException: when the job is not for this run.
        :raises AirflowFailException: when params are wrong, or associations failed for reasons that people must mend.
        :raises HoaOpsError: when associations failed for reasons that may pass; the task may be tried again.
        """
        dag_run = context["dag_run"]
        request, run_date = read_request(self.request_model, context, job=self.job)
        switched_off = not request.dry_run and self.job in switched_off_jobs()
        with Database(self.conn_id or get_settings().database_conn_id) as database:
            with database.transaction(read_only=True) as cursor:
                skip_reason = self.skip_reason(cursor, request, run_date, dag_run_id=dag_run.run_id)
            if skip_reason is not None:
                raise AirflowSkipException(skip_reason)
            tenants = [] if switched_off else self._tenants(database, request)
            run = None if request.dry_run else self._open_run(database, request, run_date, dag_run.run_id)
            outcomes = [self._outcome(database, tenant, request, run_date, run) for tenant in tenants]
            failed = [outcome for outcome in outcomes if outcome.error]
            messages = {}
            if run is not None:
                with database.transaction() as cursor:
                    run.finish(cursor, "switched_off" if switched_off else "failed" if failed else "completed")
                    messages = message_states(cursor, dag_run_id=dag_run.run_id, job=self.job)
        report = Report(self.job, request, run_date.moment, outcomes, messages, switched_off=switched_off)
        for line in report.lines():
            self.log.info("%s", line)
        if failed:
            raise _failure(failed)
        items = [item for outcome in outcomes for item in outcome.items]
        totals = {name: str(amount) for name, amount in self.totals(items).items()}
        return {"associations": len(outcomes), **count_actions(items), **totals}

    def _tenants(self, database: Database, request: RunRequest) -> list[Tenant]:
        with database.transaction(read_only=True) as cursor:
            try:
                return tenants_in_scope(cursor, request, shard=self.shard, shards=self.shards)
            except RequestError as error:
                raise refusal(error) from None

    def _open_run(self, database: Database, request: RunRequest, run_date: RunDate, dag_run_id: str) -> LedgerRun:
        with database.transaction() as cursor:
            return LedgerRun.open(cursor, self.job, request, run_date, dag_run_id=dag_run_id, shard=self.shard)

    def _outcome(
        self,
        database: Database,
        tenant: Tenant,
        request: RunRequest,
        run_date: RunDate,
        run: LedgerRun | None,
    ) -> AssociationOutcome:
        try:
            if run is None:
                return AssociationOutcome(
                    tenant.name, self.plan(database, tenant, request, run_date, plan_sql=self.plan_sql)
                )
            parameters = {**self._bound(tenant, request, run_date), "run_id": run.run_id}
            with database.transaction() as cursor:
                cursor.run(statement("engine/plan_for_many_rows.sql"))
                return AssociationOutcome(tenant.name, self._post(cursor, tenant, run, parameters))
        except (PostingError, DatabaseError) as error:
            if run is not None:
                with database.transaction() as cursor:
                    run.record_failed(cursor, tenant.tenant_id, error=str(error))
            return AssociationOutcome(tenant.name, error=str(error), needs_people=isinstance(error, PostingError))

    def _post(self, cursor: Cursor, tenant: Tenant, run: LedgerRun, parameters: Mapping[str, Any]) -> list[Row]:
        cursor.run(statement("engine/open_counters.sql"), parameters)
        cursor.run(statement("engine/lock_tenant.sql"), parameters)
        if self.lock_sql is not None:
            cursor.run(self.lock_sql, parameters)
        items = cursor.rows(self.post_sql, parameters)
        facts = cursor.rows(self.messages_sql, parameters)
        self.message_kind.enqueue(cursor, facts, tenant_id=tenant.tenant_id, run_id=run.run_id)
        run.record_posted(cursor, tenant.tenant_id, items=items, counts=count_actions(items), totals=self.totals(items))
        return items


def switched_off_jobs() -> set[str]:
    """Return the jobs that must not run live for now, by name."""
    return set(str(Variable.get(SWITCHED_OFF_VARIABLE, default="")).replace(",", " ").split())


def _failure(failed: Sequence[AssociationOutcome]) -> Exception:
    # Alerts quote the first line only, so it names no association.
    reasons = "\n".join(f"  {outcome.name}: {outcome.error}" for outcome in failed)
    message = f"{len(failed)} association(s) could not be posted and were left as they were:\n{reasons}"
    # Trying again cannot mend what only people can.
    return AirflowFailException(message) if all(outcome.needs_people for outcome in failed) else HoaOpsError(message)
