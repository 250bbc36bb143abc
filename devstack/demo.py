"""The demo: the user's document, played on real Airflow, and a second association that it must not touch.

Each job runs for Sunset Ridge HOA as a dry run, live, and live again: the dry run must change nothing, the live run
does the work, and the same run again must find nothing left to do. Then one run for all associations does Harbor Point
Condominium's work and must leave Sunset Ridge alone. The demo ends with each association's trial balance. Whatever
should not be ends it with an explanation.
"""

import fcntl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from devstack.airflow import CHECKOUT
from devstack.demo_output import Outcome, heading, say, show_outcome, show_trial_balance
from devstack.ledgers import Ledgers, changed_tables
from devstack.mail_sink import message_files, messages
from devstack.stack import Stack

FOLDER = CHECKOUT / ".local" / "demo"
SUNSET_RIDGE = "sunset-ridge"
# A live run is recorded here even if there was nothing to post.
RUN_LEDGER = frozenset({"runs", "run_tenants"})
RUN_LIMIT = 120


@dataclass(frozen=True)
class Step:
    """One job on one day, for Sunset Ridge HOA or for all associations."""

    title: str
    dag_id: str
    job: str
    as_of: str
    conf: Mapping[str, str] = field(default_factory=lambda: {"tenant": SUNSET_RIDGE})

    @property
    def params(self) -> dict[str, object]:
        """The params of its runs, but for the mode."""
        named = {"job": self.job} if self.dag_id == "hoa_monthly_billing" else {}
        return {**self.conf, **named, "as_of": self.as_of}


@dataclass(frozen=True)
class Mode:
    """One of the three ways each step is run."""

    title: str
    dry_run: bool
    posts: bool


ESCALATION = ("hoa_violation_escalation", "escalate_violations", "2025-10-29")
VARIANCES = ("hoa_budget_variance", "check_budget_variances", "2025-10-29")
STEPS = (
    Step("Escalate overdue violations, October 29", *ESCALATION),
    Step(
        "Compare budgets with actual spending, October 29",
        "hoa_budget_variance",
        "check_budget_variances",
        "2025-10-29",
    ),
    Step("Bill the assessments for November", "hoa_monthly_billing", "generate_invoices", "2025-11-01"),
    Step("Charge late fees, November 6", "hoa_monthly_billing", "assess_late_fees", "2025-11-06"),
    Step("Remind owners who have not paid, November 10", "hoa_monthly_billing", "send_reminders", "2025-11-10"),
)
FOR_ALL = Step("Escalate overdue violations of all associations, October 29", *ESCALATION, conf={})

DRY = Mode("dry run", dry_run=True, posts=False)
LIVE = Mode("live", dry_run=False, posts=True)
AGAIN = Mode("live again", dry_run=False, posts=False)


class DeviationError(RuntimeError):
    """The demo saw something that must not be."""


def run(folder: Path = FOLDER) -> None:
    """Play the demo on a fresh stack, and leave nothing running."""
    started = time.monotonic()
    with _only_one(folder):
        stack = Stack(folder, durable=False, schedules=False, report=lambda line: say(f"  {line}"))
        heading("Starting PostgreSQL, a mail sink and Airflow")
        stack.remove()
        with stack:
            _play_all(stack)
            heading("Stopping everything")
        survivors = stack.survivors()
    if survivors:
        message = f"these processes outlived the stack: {[process.pid for process in survivors]}"
        raise DeviationError(message)
    say("  nothing is left running")
    say(f"\nThe demo took {time.monotonic() - started:.0f} seconds. Its e-mails are in {stack.mail_folder}")


@contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    """Two demos in one folder would stop each other."""
    folder.parent.mkdir(exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            message = "another demo is running in this folder"
            raise RuntimeError(message) from None
        yield


def _play_all(stack: Stack) -> None:
    dag_ids = list(dict.fromkeys(step.dag_id for step in STEPS))
    stack.api.wait_for_dags(dag_ids)
    for dag_id in dag_ids:
        stack.api.unpause(dag_id)
    for step in STEPS:
        for mode in (DRY, LIVE, AGAIN):
            _check(f"{step.title}: {mode.title}", mode, _play(stack, step, mode))
    _play_isolation(stack)
    heading("Trial balance")
    unequal = show_trial_balance(Ledgers(stack.owner_dsn).trial_balance())
    if unequal:
        message = f"debits and credits are not equal: {', '.join(unequal)}"
        raise DeviationError(message)


def _play_isolation(stack: Stack) -> None:
    """Run once for all associations: Harbor Point has work, and Sunset Ridge's rows stay as they are."""
    ledgers = Ledgers(stack.owner_dsn)
    before = ledgers.state(SUNSET_RIDGE)
    outcome = _play(stack, FOR_ALL, LIVE)
    _check(FOR_ALL.title, LIVE, outcome)
    touched = changed_tables(before, ledgers.state(SUNSET_RIDGE)) - RUN_LEDGER
    strangers = [message for message in outcome.mail if not str(message["From"]).startswith("Harbor Point")]
    if touched or strangers:
        message = f"the run for all touched Sunset Ridge: {sorted(touched)}, {len(strangers)} e-mails"
        raise DeviationError(message)
    say("  Every row of Sunset Ridge HOA is as it was, and nobody there got an e-mail.")


def _play(stack: Stack, step: Step, mode: Mode) -> Outcome:
    """Run a step in a mode, and show what its report says and what it did."""
    heading(f"{step.title}: {mode.title}")
    params = step.params | {"dry_run": mode.dry_run}
    say(f"  {step.dag_id} {params}\n")
    ledgers = Ledgers(stack.owner_dsn)
    before, mail_before = ledgers.state(), len(message_files(stack.mail_folder))
    run_id = stack.api.trigger(step.dag_id, params)
    if stack.api.wait_for_run(step.dag_id, run_id, limit=RUN_LIMIT) != "success":
        raise DeviationError(_explanation_of_failure(stack, step, run_id))
    # The closing report knows what became of the messages; a dry run has none and closes with its job.
    reporter = step.job if mode.dry_run else "report"
    log = stack.api.task_log(step.dag_id, run_id, reporter)
    outcome = Outcome(log, before, ledgers.state(), messages(stack.mail_folder)[mail_before:])
    show_outcome(outcome)
    return outcome


def _check(where: str, mode: Mode, outcome: Outcome) -> None:
    changed = outcome.changed - (frozenset() if mode.dry_run else RUN_LEDGER)
    if mode.posts and not changed:
        message = f"{where}: nothing was posted"
        raise DeviationError(message)
    if not mode.posts and changed:
        message = f"{where}: these tables changed: {', '.join(sorted(changed))}"
        raise DeviationError(message)
    if not mode.posts and outcome.mail:
        message = f"{where}: {len(outcome.mail)} e-mails were sent"
        raise DeviationError(message)


def _explanation_of_failure(stack: Stack, step: Step, run_id: str) -> str:
    states = stack.api.task_states(step.dag_id, run_id)
    failed = [task_id for task_id, state in states.items() if state == "failed"]
    logs = [line.event for task_id in failed for line in stack.api.task_log(step.dag_id, run_id, task_id)]
    return "\n".join([f"{step.title}: the run failed ({states})", *logs])
