"""Which section of the runbook applies when something fails, and its gist in one line: the only place that says so."""

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
        "Nothing was touched. Correct what the error names and trigger the run again; if the database was away, "
        "clear the task.",
    ),
    **{job.name: Advice("a-job-failed", job.when_it_fails) for job in JOBS},
    "deliver_messages": Advice(
        "mail-does-not-go-out",
        "What was not sent waits in the outbox. Mend the mail server or its Connection and clear the task: nothing is "
        "sent twice.",
    ),
    "report": Advice(
        "the-report-failed",
        "Only the closing report is missing; what was posted and sent stands. Clear the task once the database "
        "answers.",
    ),
    "complete": Advice(
        "a-task-was-killed",
        "A task of this run failed, and it is not certain that it could tell. Look at the run and clear what failed.",
    ),
}
"""By task id. A task that was killed still has the advice of its own id."""

LATE_RUN = Advice(
    "a-run-is-late",
    "See which task it stands at: waiting for a lock or a worker, retrying, or failed. Nothing is lost: let it finish, "
    "or mend the cause and clear what failed.",
)
