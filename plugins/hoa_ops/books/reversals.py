"""What undoes invoices that should never have been posted: ``python -m hoa_ops reverse``.

Nothing is deleted. Each invoice gets a reversing journal entry and is void; what was paid on it is the owner's credit
again, by a reversing entry of its own; mail about it that has not left is canceled. The jobs' role may do none of this,
so the command connects as the role that owns the tables. Whoever reverses says who he is and why.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from hoa_ops.cli.console import say, words
from hoa_ops.database import DatabaseError, OwnersDatabase, statement
from hoa_ops.delivery.actions import Action, act
from hoa_ops.engine.tenants import Tenant
from hoa_ops.errors import PostingError, RequestError
from hoa_ops.jobs import ASSESS_LATE_FEES, ESCALATE_VIOLATIONS, GENERATE_INVOICES
from hoa_ops.settings import get_settings
from hoa_ops.templates import money

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace, _SubParsersAction
    from collections.abc import Sequence
    from uuid import UUID

    from hoa_ops.database import Cursor
    from hoa_ops.engine.report import Row

POSTING_JOBS = tuple(job.name for job in (GENERATE_INVOICES, ASSESS_LATE_FEES, ESCALATE_VIOLATIONS))

_MARKS = {"post": "✓", "leave": "-", "exception": "✗"}
_WHAT_NEXT = {
    "late_fee": "The next live run of assess_late_fees charges these fees again where a rule calls for them: "
    "correct the rule first (table late_fee_rules), or switch the job off.",
    "assessment": "The next live run of generate_invoices bills the current month's assessments again, an earlier "
    "month's only with billing_month: correct units and ownerships first.",
    "fine": "The escalation steps stand; their fines are not charged again.",
    "other": "",
}


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
        return cursor.rows(statement("books/reversals/plan.sql"), self._parameters(tenant_id))

    def post(self, cursor: Cursor, tenant_id: UUID) -> list[Row]:
        """Reverse what the selection has in an association; return the rows of the plan that was carried out."""
        parameters = self._parameters(tenant_id)
        for step in ("engine/open_counters.sql", "engine/lock_tenant.sql", "books/reversals/lock.sql"):
            cursor.run(statement(step), parameters)
        items = cursor.rows(statement("books/reversals/post.sql"), parameters)
        # A fine's owners may share one notice, and a notice is canceled once.
        unsent = dict.fromkeys(message for item in _posted(items) for message in item["unsent_messages"])
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


def add_commands(commands: _SubParsersAction[ArgumentParser], owner: ArgumentParser) -> None:
    """Add the command to the command line.

    :param owner: the arguments by which a command reaches the database as the role that owns the tables.
    """
    command = commands.add_parser(
        "reverse",
        parents=[owner],
        help="void invoices that should never have been posted, with reversing journal entries",
        description="Void invoices with reversing journal entries; what was paid on them is the owner's credit again. "
        "Exit status 1 when an invoice could not be reversed. Doing it again reverses nothing.",
    )
    selection = command.add_mutually_exclusive_group(required=True)
    selection.add_argument(
        "--run", dest="dag_run_id", metavar="DAG_RUN_ID", help="all invoices that a job of this DAG run posted"
    )
    selection.add_argument(
        "--invoice", nargs="+", metavar=("TENANT_CODE", "NUMBER"), help="these invoices of one association"
    )
    command.add_argument("--job", choices=POSTING_JOBS, help="with --run: which job")
    command.add_argument("--tenant", help="with --run: code or id of one association (default: all that it posted in)")
    command.add_argument(
        "--on", type=date.fromisoformat, required=True, help="date of the reversing entries, YYYY-MM-DD"
    )
    command.add_argument("--who", type=words, required=True, help="your name, for the record")
    command.add_argument("--why", type=words, required=True, help="the reason, for the record")
    command.add_argument("--dry-run", action="store_true", help="show what would be reversed; change nothing")
    command.set_defaults(run=_reverse)


def _reverse(given: Namespace) -> int:
    today = datetime.now(get_settings().zone).date()
    if given.on > today:
        raise RequestError(f"on: {given.on} lies ahead of today, {today}: the journal cannot be corrected afterwards")
    items: list[Row] = []
    failures = 0
    with OwnersDatabase(given.dsn) as database:
        with database.transaction(read_only=True) as cursor:
            reversal, tenants = _selection(cursor, given)
        if given.dry_run:
            say("Dry run: nothing is changed.")
        for tenant in tenants:
            say(f"{tenant.name} ({tenant.code})")
            try:
                with database.transaction(read_only=given.dry_run) as cursor:
                    cursor.run(statement("engine/plan_for_many_rows.sql"))
                    do = reversal.plan if given.dry_run else reversal.post
                    of_tenant = do(cursor, tenant.tenant_id)
            except (PostingError, DatabaseError, RequestError) as error:
                failures += 1
                say(f"  ✗ left as it was: {error}")
            else:
                items += of_tenant
                for item in of_tenant:
                    say(f"  {_line(item)}")
    _summarize(items, dry_run=given.dry_run)
    return 1 if failures or any(item["action"] == "exception" for item in items) else 0


def _selection(cursor: Cursor, given: Namespace) -> tuple[Reversal, list[Tenant]]:
    if given.dag_run_id is not None:
        if given.job is None:
            raise RequestError("job: name the job of the run that posted wrongly")
        runs = cursor.rows(statement("books/reversals/runs.sql"), {"job": given.job, "dag_run_id": given.dag_run_id})
        if not runs:
            raise RequestError(
                f"run: {given.job} has no live run {given.dag_run_id!r}; the history page has their names"
            )
        reversal = Reversal(given.on, given.who, given.why, run_ids=[row["id"] for row in runs])
        found = cursor.rows(
            statement("books/reversals/tenants.sql"), {"run_ids": list(reversal.run_ids), "tenant": given.tenant}
        )
        if given.tenant is not None and not found:
            raise RequestError(f"tenant: that run posted no invoice in an association {given.tenant!r}")
        return reversal, [Tenant(row["tenant_id"], row["code"], row["name"]) for row in found]
    if given.job is not None or given.tenant is not None:
        raise RequestError("job, tenant: these go with --run; --invoice names the association itself")
    code, *numbers = given.invoice
    if not numbers:
        raise RequestError("invoice: name the association's code and then the numbers of its invoices")
    found = cursor.rows(statement("engine/find_tenants.sql"), {"tenant": code, "shard": 0, "shards": 1})
    if not found:
        raise RequestError(f"invoice: there is no association with the code or id {code!r}")
    [tenant] = [Tenant(row["tenant_id"], row["code"], row["name"]) for row in found]
    missing = cursor.rows(statement("books/reversals/missing.sql"), {"tenant_id": tenant.tenant_id, "numbers": numbers})
    if missing:
        raise RequestError(f"invoice: {tenant.code} has no {', '.join(row['number'] for row in missing)}")
    return Reversal(given.on, given.who, given.why, numbers=numbers), [tenant]


def _posted(items: Sequence[Row]) -> list[Row]:
    return [item for item in items if item["action"] == "post"]


def _line(item: Row) -> str:
    line = (
        f"{_MARKS[item['action']]} {item['invoice_number']}  unit {item['unit_number']}  "
        f"{item['kind'].replace('_', ' ')}  {money(item['amount'])}"
    )
    if item["action"] != "post":
        return f"{line}: {item['reason']}"
    notes = [f"{money(item['credited'])} paid on it is credit again"] if item["credited"] else []
    notes += ["mail about it canceled"] if item["unsent_messages"] else []
    notes += ["the owner was told of it"] if item["owner_was_told"] else []
    return line + "".join(f"; {note}" for note in notes)


def _summarize(items: Sequence[Row], *, dry_run: bool) -> None:
    posted = _posted(items)
    if not posted:
        say("Nothing to reverse.")
    else:
        amount, credit = (money(sum(item[figure] for item in posted)) for figure in ("amount", "credited"))
        say(f"{'Would reverse' if dry_run else 'Reversed'}: {len(posted)} invoice(s), {amount}; credit again: {credit}")
        told = sum(item["owner_was_told"] for item in posted)
        if told:
            say(f"Owners were told of {told} of them: write to those.")
    for action, words_for_it in (("leave", "Left alone"), ("exception", "Not reversed, see above")):
        count = sum(item["action"] == action for item in items)
        if count:
            say(f"{words_for_it}: {count}")
    for kind in dict.fromkeys(item["kind"] for item in posted):
        if _WHAT_NEXT[kind]:
            say(_WHAT_NEXT[kind])
