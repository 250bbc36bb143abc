"""The command ``reverse``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hoa_ops.associations import find_association
from hoa_ops.books.reversals import (
    POSTING_JOBS,
    WHAT_NEXT,
    Reversal,
    associations_of_runs,
    refuse_unknown_numbers,
    runs_to_reverse,
)
from hoa_ops.cli.arguments import add_association, add_schema_owner, add_signature, day, schema_owner_dsn, words
from hoa_ops.cli.console import say, today
from hoa_ops.database import DatabaseError, SchemaOwnerDatabase, query
from hoa_ops.errors import PostingError, RequestError
from hoa_ops.templates import money

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Sequence

    from hoa_ops.associations import Tenant
    from hoa_ops.database import Cursor, Row

_MARKS = {"post": "✓", "skip": "-", "exception": "✗"}


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.description = (
        "Void invoices that should not have been posted, with reversing journal entries; payments applied to them go "
        "back to the owner's credit. Exit status 1 if an invoice could not be reversed. Repeating it reverses nothing."
    )
    add_schema_owner(parser)
    selection = parser.add_mutually_exclusive_group(required=True)
    selection.add_argument(
        "--run",
        dest="dag_run_id",
        type=words,
        metavar="DAG_RUN_ID",
        help="all invoices that a job posted in this DAG run; the page HOA history has its id",
    )
    selection.add_argument(
        "--invoice", type=words, nargs="+", metavar=("ASSOCIATION", "NUMBER"), help="invoices of one association"
    )
    parser.add_argument("--job", choices=POSTING_JOBS, help="with --run: the job")
    add_association(parser, default="with --run, every association that the job posted in")
    parser.add_argument(
        "--on", type=day, required=True, metavar="DAY", help="date of the reversing entries, YYYY-MM-DD"
    )
    add_signature(parser)
    parser.add_argument("--dry-run", action="store_true", help="show what would be reversed, and change nothing")


def run(given: Namespace) -> int:
    """Reverse, one association after the other, and print what was done."""
    if given.on > today():
        raise RequestError(
            f"on: {given.on} is in the future: choose today ({today()}) or an earlier day, because the journal cannot "
            f"be changed later"
        )
    items: list[Row] = []
    failures = 0
    with SchemaOwnerDatabase(schema_owner_dsn(given)) as database:
        with database.transaction(read_only=True) as cursor:
            reversal, tenants = _selection(cursor, given)
        if given.dry_run:
            say("Dry run: nothing is changed.")
        for tenant in tenants:
            say(f"{tenant.name} ({tenant.code})")
            try:
                with database.transaction(read_only=given.dry_run) as cursor:
                    cursor.run(query("engine/expect_many_rows.sql"))
                    do = reversal.plan if given.dry_run else reversal.post
                    of_tenant = do(cursor, tenant.tenant_id)
            except (PostingError, DatabaseError, RequestError) as error:
                failures += 1
                say(f"  ✗ nothing was changed: {error}")
            else:
                items += of_tenant
                for item in of_tenant:
                    say(f"  {_line(item)}")
    _summarize(items, dry_run=given.dry_run)
    return 1 if failures or any(item["action"] == "exception" for item in items) else 0


def _selection(cursor: Cursor, given: Namespace) -> tuple[Reversal, list[Tenant]]:
    if given.dag_run_id is not None:
        return _run_selection(cursor, given)
    if given.job is not None or given.tenant is not None:
        raise RequestError("job, tenant: these go with --run; --invoice names the association itself")
    wanted, *numbers = given.invoice
    if not numbers:
        raise RequestError("invoice: give the association and then the numbers of its invoices")
    tenant = find_association(cursor, wanted)
    refuse_unknown_numbers(cursor, tenant, numbers)
    return Reversal(given.on, given.who, given.why, numbers=numbers), [tenant]


def _run_selection(cursor: Cursor, given: Namespace) -> tuple[Reversal, list[Tenant]]:
    if given.job is None:
        raise RequestError(f"job: name the job whose postings are to be reversed: {', '.join(POSTING_JOBS)}")
    run_ids = runs_to_reverse(cursor, job=given.job, dag_run_id=given.dag_run_id)
    tenants = associations_of_runs(cursor, run_ids)
    if given.tenant is not None:
        only = find_association(cursor, given.tenant)
        if only not in tenants:
            raise RequestError(f"tenant: that run posted no invoices in {only.name} ({only.code})")
        tenants = [only]
    return Reversal(given.on, given.who, given.why, run_ids=run_ids), tenants


def _line(item: Row) -> str:
    line = (
        f"{_MARKS[item['action']]} {item['invoice_number']}  unit {item['unit_number']}  "
        f"{item['kind'].replace('_', ' ')}  {money(item['amount'])}"
    )
    if item["action"] != "post":
        return f"{line}: {item['reason']}"
    notes = [f"{money(item['credited'])} goes back to the owner's credit"] if item["credited"] else []
    notes += ["unsent mail about it canceled"] if item["unsent_messages"] else []
    notes += ["the owner was already notified"] if item["owner_was_told"] else []
    return line + "".join(f"; {note}" for note in notes)


def _summarize(items: Sequence[Row], *, dry_run: bool) -> None:
    reversed_items = [item for item in items if item["action"] == "post"]
    if not reversed_items:
        say("Nothing to reverse.")
    else:
        amount, credit = (money(sum(item[figure] for item in reversed_items)) for figure in ("amount", "credited"))
        say(
            f"{'Would reverse' if dry_run else 'Reversed'}: {len(reversed_items)} invoice(s), {amount}; "
            f"back to owners' credit: {credit}"
        )
        notified = sum(item["owner_was_told"] for item in reversed_items)
        if notified:
            say(f"Owners were already notified of {notified} of these invoices: write to those owners.")
    for action, heading in (("skip", "Skipped"), ("exception", "Not reversed, see above")):
        count = sum(item["action"] == action for item in items)
        if count:
            say(f"{heading}: {count}")
    for kind in dict.fromkeys(item["kind"] for item in reversed_items):
        if WHAT_NEXT[kind]:
            say(WHAT_NEXT[kind])
