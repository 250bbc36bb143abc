"""What a job is: everything that is special to it, said once, in its module beside this one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hoa_ops.jobs.message_kind import MessageKind
    from hoa_ops.jobs.run_request import RunRequest

WHEN_A_JOB_FAILS = (
    "Associations that the log lists as failed, and any it did not get to, are unchanged; all others are done. "
    "Fix the cause and clear the task: it does only what is missing."
)


@dataclass(frozen=True)
class Total:
    """A sum of money over the rows that a job posts.

    :param name: as the run ledger and the task's return value call it.
    :param columns: of the plan, in dollars, added up.
    """

    name: str
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Job:
    """One of the jobs.

    Its SQL is in ``include/sql/<name>/``: ``plan.sql`` (one row per item, with ``item_id``, ``action`` and ``reason``),
    ``post.sql`` (which includes the plan, and returns its rows with the ``reference_id`` of what was posted),
    ``messages.sql`` (the facts of the messages that the run's postings call for) and, where people could change what is
    about to be decided, ``lock.sql``. Its templates are in ``include/templates/<name>/``: ``report.txt``, ``email.txt``
    and ``email.html``.

    :param name: as task ids, params and the run ledger have it.
    :param title: what people call it.
    :param dag_id: the DAG that carries it.
    :param cron: when it is due, in the time zone of the deployment.
    :param request: the params of its DAG.
    :param parameters: attributes of the request that its plan binds, beside ``tenant_id`` and ``as_of``.
    :param message_kind: the messages it writes.
    :param totals: the sums of money that the run ledger keeps.
    :param key: columns of its plan that say what a row is about, as the command ``plan`` prints them.
    :param amount: the column of its plan with the dollars.
    :param locks: whether it has a ``lock.sql``.
    :param when_it_fails: what to do, for alerts.
    """

    name: str
    title: str
    dag_id: str
    cron: str
    request: type[RunRequest]
    message_kind: MessageKind
    totals: tuple[Total, ...]
    key: tuple[str, ...]
    amount: str
    parameters: tuple[str, ...] = ()
    locks: bool = False
    when_it_fails: str = WHEN_A_JOB_FAILS

    def __str__(self) -> str:
        return self.name

    @property
    def sql_files(self) -> dict[str, str]:
        """The job's SQL, by the names of its operator's arguments, below ``include/sql``."""
        steps = ("plan", "post", "messages", *(["lock"] if self.locks else []))
        return {f"{step}_sql": f"{self.name}/{step}.sql" for step in steps}
