"""Which section of the runbook applies when something fails, and its gist in a line for alerts and DAG docs."""

from __future__ import annotations

from dataclasses import dataclass

from hoa_ops.jobs import JOBS
from hoa_ops.settings import get_settings

RUNBOOK = "docs/runbook.md"


@dataclass(frozen=True)
class Advice:
    """What to do, and where the runbook says more.

    :param section: anchor of the section's heading.
    """

    section: str
    line: str

    @property
    def link(self) -> str:
        """Where the section can be read."""
        return f"{get_settings().runbook_url or RUNBOOK}#{self.section}"


TASK_ADVICE: dict[str, Advice] = {
    "check_params": Advice(
        "a-run-was-refused",
        "Nothing was changed. Correct what the error names and trigger the run again. If the database was down, clear "
        "the task instead.",
    ),
    **{job.name: Advice("a-job-failed", job.when_it_fails) for job in JOBS},
    "deliver_messages": Advice(
        "mail-does-not-go-out",
        "Unsent messages are still in the outbox. Fix the mail server or its Connection and clear the task. Nothing is "
        "sent twice.",
    ),
    "report": Advice(
        "the-report-failed",
        "Only the closing report is missing; everything posted and sent stands. Clear the task once the database is "
        "back.",
    ),
    "complete": Advice(
        "a-task-was-killed",
        "A task of this run failed and may not have sent its own alert. Open the run and clear what failed.",
    ),
}
"""By task id. A task that was killed still has the advice of its own id."""

STUCK_MAIL = Advice(
    "mail-is-stuck",
    "List the messages with `python -m hoa_ops outbox list`, then requeue or cancel each, or mark it as mailed.",
)

LATE_RUN = Advice(
    "a-run-is-late",
    "If none of its tasks has started, look at its logical date: a run dated ahead waits for that day, so mark it as "
    "failed. Otherwise find the task it is held up at: waiting for a worker or a lock, retrying, or failed. Nothing is "
    "lost: let it finish, or fix the cause and clear what failed.",
)
