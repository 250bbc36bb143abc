"""Reversals: undo invoices that should not have been posted.

Nothing is deleted. Each invoice gets a reversing journal entry and becomes void; what was paid on it goes back to the
owner's credit, by a reversing entry of its own; unsent mail about it is canceled. The worker role may do none of this:
it takes the schema owner. Whoever reverses says who they are and why.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hoa_ops.associations import Tenant
from hoa_ops.database import query
from hoa_ops.delivery.actions import Action, act
from hoa_ops.errors import RequestError
from hoa_ops.jobs import ASSESS_LATE_FEES, ESCALATE_VIOLATIONS, GENERATE_INVOICES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from uuid import UUID

    from hoa_ops.database import Cursor, Row

POSTING_JOBS = tuple(job.name for job in (GENERATE_INVOICES, ASSESS_LATE_FEES, ESCALATE_VIOLATIONS))

WHAT_NEXT = {
    "late_fee": "The next live run of assess_late_fees charges these fees again where a rule calls for them: "
    "correct the rule first (table late_fee_rules), or switch the job off.",
    "assessment": "The next live run of generate_invoices bills this month's assessments again, but an earlier month's "
    "only with billing_month: correct units and ownerships first.",
    "fine": "The escalation steps stand, and their fines are not charged again.",
    "other": "",
}
"""What the next runs make of a reversal, by kind of invoice."""


@dataclass(frozen=True)
class Reversal:
    """Which invoices to reverse, as of which day, and on whose word.

    :param on: date of the reversing entries; no invoice or applied payment may be dated later.
    :param run_ids: all that these runs posted.
    :param numbers: the invoices of these numbers.
    """

    on: date
    who: str
    why: str
    run_ids: Sequence[UUID] = ()
    numbers: Sequence[str] = ()

    def plan(self, cursor: Cursor, tenant_id: UUID) -> list[Row]:
        """Return what :meth:`post` would do for an association, one row an invoice; write nothing."""
        return cursor.rows(query("books/reversals/plan.sql"), self._parameters(tenant_id))

    def post(self, cursor: Cursor, tenant_id: UUID) -> list[Row]:
        """Reverse what the selection has in an association; return the rows of the plan that was carried out."""
        parameters = self._parameters(tenant_id)
        for step in (
            "engine/open_counters.sql",
            "engine/lock_tenant.sql",
            "books/reversals/lock_payments.sql",
            "books/reversals/lock.sql",
        ):
            cursor.run(query(step), parameters)
        items = cursor.rows(query("books/reversals/post.sql"), parameters)
        cursor.run(query("books/reversals/void.sql"), parameters)
        # A fine's owners may share one notice, and a notice is canceled once.
        posted = [item for item in items if item["action"] == "post"]
        unsent = dict.fromkeys(message for item in posted for message in item["unsent_messages"])
        act(cursor, Action.CANCEL, list(unsent), who=self.who, why=self.why)
        return items

    def _parameters(self, tenant_id: UUID) -> dict[str, object]:
        return {
            "tenant_id": tenant_id,
            "as_of": self.on,
            "run_ids": list(self.run_ids),
            "numbers": list(self.numbers),
            "who": self.who,
            "why": self.why,
        }


def runs_to_reverse(cursor: Cursor, *, job: str, dag_run_id: str) -> list[UUID]:
    """Return the ids by which the run ledger has a job of a DAG run, one a shard.

    :raises RequestError: when the job has no live run of that name.
    """
    runs = cursor.rows(query("books/reversals/runs.sql"), {"job": job, "dag_run_id": dag_run_id})
    if not runs:
        raise RequestError(f"run: {job} has no live run {dag_run_id!r}; the page HOA history has the ids of all runs")
    return [row["id"] for row in runs]


def associations_of_runs(cursor: Cursor, run_ids: Sequence[UUID]) -> list[Tenant]:
    """Return the associations in which runs posted invoices, active or not, by name."""
    rows = cursor.rows(query("books/reversals/tenants.sql"), {"run_ids": list(run_ids)})
    return [Tenant(**row) for row in rows]


def refuse_unknown_numbers(cursor: Cursor, tenant: Tenant, numbers: Sequence[str]) -> None:
    """Check that an association has all these invoices.

    :raises RequestError: naming those that it does not have.
    """
    missing = cursor.rows(
        query("books/reversals/missing.sql"), {"tenant_id": tenant.tenant_id, "numbers": list(numbers)}
    )
    if missing:
        listed = ", ".join(row["number"] for row in missing)
        raise RequestError(f"invoice: {tenant.name} ({tenant.code}) has no {listed}")
