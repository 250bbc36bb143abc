"""The demo: each job on real Airflow as a dry run, live, and live again; what it printed, posted and mailed.

A dry run must change nothing, a live run does the work, and the same run again must find nothing left to do.
The demo ends with each association's trial balance. Any deviation ends it with an explanation.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from itertools import groupby
from pathlib import Path

from devstack import mail
from devstack.airflow_api import LogLine
from devstack.ledgers import Ledgers, TableState
from devstack.stack import Stack

# Their row counts are shown even if nothing was added.
WATCHED_TABLES = frozenset({"invoices", "journal_entries", "outbox"})
# A live run is recorded in the run ledger even if there was nothing to post.
RUN_LEDGER = frozenset({"runs", "run_tenants"})
# Whose mails are printed in full: an owner and the treasurer of Sunset Ridge HOA.
SHOWN = ("John Smith", "Theresa Ledger")
RUN_LIMIT = 120


@dataclass(frozen=True)
class Step:
    """One job on one day."""

    title: str
    dag_id: str
    job: str
    conf: Mapping[str, str]


@dataclass(frozen=True)
class Mode:
    """One of the three ways each step is run."""

    title: str
    dry_run: bool
    may_post: bool


STEPS = (
    Step(
        "Escalate overdue violations, October 29",
        "hoa_violation_escalation",
        "escalate_violations",
        {"as_of": "2025-10-29"},
    ),
    Step(
        "Compare budgets with actual spending, October 29",
        "hoa_budget_variance",
        "check_budget_variances",
        {"as_of": "2025-10-29"},
    ),
    Step(
        "Bill the assessments of November",
        "hoa_monthly_billing",
        "generate_invoices",
        {"job": "generate_invoices", "as_of": "2025-11-01"},
    ),
    Step(
        "Charge late fees, November 6",
        "hoa_monthly_billing",
        "assess_late_fees",
        {"job": "assess_late_fees", "as_of": "2025-11-06"},
    ),
    Step(
        "Remind those who have not paid, November 10",
        "hoa_monthly_billing",
        "send_reminders",
        {"job": "send_reminders", "as_of": "2025-11-10"},
    ),
)

MODES = (
    Mode("dry run", dry_run=True, may_post=False),
    Mode("live", dry_run=False, may_post=True),
    Mode("live again", dry_run=False, may_post=False),
)


class DeviationError(RuntimeError):
    """The demo saw something that must not be."""


def run(folder: Path) -> None:
    """Play all steps on a fresh stack in ``folder``, and leave nothing running."""
    started = time.monotonic()
    stack = Stack(folder, durable=False, schedules=False, report=lambda line: _say(f"  {line}"))
    _heading("Starting PostgreSQL, a mail sink and Airflow")
    stack.remove()
    with stack:
        dag_ids = list(dict.fromkeys(step.dag_id for step in STEPS))
        stack.api.wait_for_dags(dag_ids)
        for dag_id in dag_ids:
            stack.api.unpause(dag_id)
        for step in STEPS:
            for mode in MODES:
                _play(stack, step, mode)
        _print_trial_balance(Ledgers(stack.owner_dsn))
        _heading("Stopping everything")
    survivors = stack.survivors()
    if survivors:
        message = f"these processes outlived the stack: {[process.pid for process in survivors]}"
        raise DeviationError(message)
    _say("  nothing is left running")
    _say(f"\nThe demo took {time.monotonic() - started:.0f} seconds. Its e-mails are in {stack.mail_folder}")


def _play(stack: Stack, step: Step, mode: Mode) -> None:
    where = f"{step.title}: {mode.title}"
    _heading(where)
    ledgers = Ledgers(stack.owner_dsn)
    before, mails_before = ledgers.state(), len(mail.message_files(stack.mail_folder))

    conf = dict(step.conf) | {"dry_run": mode.dry_run}
    _say(f"  {step.dag_id} {conf}\n")
    run_id = stack.api.trigger(step.dag_id, conf)
    state = stack.api.wait_for_run(step.dag_id, run_id, limit=RUN_LIMIT)
    if state != "success":
        raise DeviationError(_explanation_of_failure(stack, step, run_id, where))
    # The closing report knows what became of the messages; a dry run has none and closes with its job.
    reporter = step.job if mode.dry_run else "report"
    for line in _report(stack.api.task_log(step.dag_id, run_id, reporter)):
        _say(f"  {line}")

    after, arrived = ledgers.state(), mail.messages(stack.mail_folder)[mails_before:]
    _print_posted(before, after)
    _print_mail(arrived)
    _check(where, mode, _changed_tables(before, after), arrived)


def _check(where: str, mode: Mode, changed: set[str], arrived: list[EmailMessage]) -> None:
    allowed = frozenset() if mode.dry_run else RUN_LEDGER
    if mode.may_post and not changed - allowed:
        message = f"{where}: nothing was posted"
        raise DeviationError(message)
    if not mode.may_post and changed - allowed:
        message = f"{where}: these tables changed: {', '.join(sorted(changed - allowed))}"
        raise DeviationError(message)
    if not mode.may_post and arrived:
        message = f"{where}: {len(arrived)} e-mails were sent"
        raise DeviationError(message)


def _changed_tables(before: Mapping[str, TableState], after: Mapping[str, TableState]) -> set[str]:
    return {table for table in before.keys() | after.keys() if before.get(table) != after.get(table)}


def _report(log: list[LogLine]) -> list[str]:
    """The report within a task's log: from its banner on, what the banner's logger wrote."""
    banner = next((line for line in log if line.event and not line.event.strip("=")), None)
    if banner is None:
        return ["(no report in the log of this task)"]
    return [
        line.event
        for line in log[log.index(banner) :]
        if line.logger == banner.logger and not line.event.startswith("Done. Returned value")
    ]


def _explanation_of_failure(stack: Stack, step: Step, run_id: str, where: str) -> str:
    states = stack.api.task_states(step.dag_id, run_id)
    failed = [task_id for task_id, state in states.items() if state == "failed"]
    logs = [line.event for task_id in failed for line in stack.api.task_log(step.dag_id, run_id, task_id)]
    return "\n".join([f"{where}: the run failed ({states})", *logs])


def _print_posted(before: Mapping[str, TableState], after: Mapping[str, TableState]) -> None:
    _say("\n  Rows before and after:")
    for table in after:
        grown = after[table].rows - before[table].rows
        if grown or table in WATCHED_TABLES:
            _say(f"    {table:<24}{before[table].rows:>6} -> {after[table].rows:<6}{grown:+}")


def _print_mail(arrived: list[EmailMessage]) -> None:
    _say(f"  E-mails that arrived: {len(arrived)}")
    for message in arrived:
        attached = "".join(f" [{part.get_filename()}]" for part in message.iter_attachments())
        _say(f"    to {message['To']}: {message['Subject']}{attached}")
    if arrived:
        shown = next((message for message in arrived if str(message["To"]).startswith(SHOWN)), arrived[0])
        body = shown.get_body(("plain",))
        _say(f"  The one to {shown['To']}:")
        for line in (body.get_content() if body else "(no text part)").splitlines():
            _say(f"    | {line}".rstrip())


def _print_trial_balance(ledgers: Ledgers) -> None:
    _heading("Trial balance")
    for association, accounts in groupby(ledgers.trial_balance(), key=lambda balance: balance.association):
        balances = list(accounts)
        debit, credit = (
            sum(balance.debit for balance in balances),
            sum(balance.credit for balance in balances),
        )
        _say(f"  {association}")
        for balance in balances:
            account = f"{balance.account} {balance.account_name}"
            _say(f"    {account:<44}{balance.debit:>14,.2f}{balance.credit:>14,.2f}")
        if debit != credit:
            message = f"{association}: debits of {debit:,.2f} and credits of {credit:,.2f} do not balance"
            raise DeviationError(message)
        _say(f"    {'debits = credits':<44}{debit:>14,.2f}{credit:>14,.2f}\n")


def _heading(title: str) -> None:
    _say(f"\n=== {title} {'=' * max(0, 90 - len(title))}")


def _say(line: str) -> None:
    print(line, flush=True)
