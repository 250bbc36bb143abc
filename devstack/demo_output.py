"""What the demo prints of each run: its report, the rows it changed, the e-mails that arrived."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from email.message import EmailMessage
from itertools import groupby

from devstack.airflow_api import LogLine
from devstack.ledgers import Balance, TableState, changed_tables

# Whose mail is printed in full: an owner and the treasurer of Sunset Ridge HOA.
SHOWN = ("John Smith", "Theresa Ledger")


@dataclass(frozen=True)
class Outcome:
    """What a run logged, and the database and the mailbox before and after it."""

    log: Sequence[LogLine]
    before: Mapping[str, TableState]
    after: Mapping[str, TableState]
    mail: Sequence[EmailMessage]

    @property
    def changed(self) -> set[str]:
        """The tables that are not as they were."""
        return changed_tables(self.before, self.after)


def show_outcome(outcome: Outcome) -> None:
    """Print the report, the changes and the mail."""
    for line in _report(outcome.log):
        say(f"  {line}")
    _show_changes(outcome)
    _show_mail(outcome.mail)


def show_trial_balance(balances: Iterable[Balance]) -> list[str]:
    """Print every association's trial balance, and return the names of those whose debits are not their credits."""
    unequal = []
    for association, group in groupby(balances, key=lambda balance: balance.association):
        accounts = list(group)
        say(f"  {association:<46}{'debit':>14}{'credit':>14}")
        for balance in accounts:
            say(f"    {f'{balance.account} {balance.account_name}':<44}{_cents(balance.debit)}{_cents(balance.credit)}")
        debit = sum((balance.debit for balance in accounts), Decimal(0))
        credit = sum((balance.credit for balance in accounts), Decimal(0))
        say(f"    {'total':<44}{_cents(debit)}{_cents(credit)}\n")
        if debit != credit:
            unequal.append(association)
    return unequal


def heading(title: str) -> None:
    """Print the heading of a section."""
    say(f"\n=== {title} {'=' * max(0, 90 - len(title))}")


def say(line: str) -> None:
    """Print a line at once, also into a pipe."""
    print(line.rstrip(), flush=True)


def _report(log: Sequence[LogLine]) -> list[str]:
    """The report within a task's log: from its banner on, what the banner's logger wrote."""
    banner = next((line for line in log if line.event and not line.event.strip("=")), None)
    if banner is None:
        return ["(no report in the log of this task)"]
    return [
        line.event
        for line in log[log.index(banner) :]
        if line.logger == banner.logger and not line.event.startswith("Done. Returned value")
    ]


def _show_changes(outcome: Outcome) -> None:
    if not outcome.changed:
        say(f"\n  Rows changed: none, in any of {len(outcome.after)} tables")
        return
    say("\n  Rows changed:")
    for table in sorted(outcome.changed):
        before, after = outcome.before[table].rows, outcome.after[table].rows
        say(f"    {table:<24}{before:>6} -> {after:<6}{f'{after - before:+}' if after != before else 'updated'}")


def _show_mail(mail: Sequence[EmailMessage]) -> None:
    say(f"  E-mails that arrived: {len(mail) or 'none'}")
    for message in mail:
        attached = "".join(f" [{part.get_filename()}]" for part in message.iter_attachments())
        say(f"    to {message['To']}: {message['Subject']}{attached}")
    if mail:
        shown = next((message for message in mail if str(message["To"]).startswith(SHOWN)), mail[0])
        body = shown.get_body(("plain",))
        say(f"  The one to {shown['To']}:")
        for line in (body.get_content() if body else "(no text part)").splitlines():
            say(f"    | {line}".rstrip())


def _cents(amount: Decimal) -> str:
    return f"{amount:>14,.2f}" if amount else f"{'':>14}"
