"""The report of a job, in the form that the operations team knows from its command-line days.

A dry run and a live run are rendered by the same template from the same rows; so is the closing report, which reads the
rows back from the run ledger and knows what became of the messages.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import KW_ONLY, dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from hoa_ops.database import Row
from hoa_ops.errors import PostingError
from hoa_ops.templates import render

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from hoa_ops.delivery.message import MessageOutcomes
    from hoa_ops.engine.go_live import Mode
    from hoa_ops.engine.tenants import Tenant
    from hoa_ops.jobs import Job
    from hoa_ops.jobs.run_request import RunRequest


@dataclass(frozen=True)
class AssociationOutcome:
    """What a run did, or would do, for one association.

    :param items: rows of the job's plan; each has ``action`` (post, leave, exception) and ``reason``.
    :param error: why it could not be posted; then there are no items.
    :param needs_people: whether only people can mend that, so that trying again is no use.
    """

    code: str
    name: str
    items: Sequence[Row] = ()
    error: str | None = None
    needs_people: bool = False

    @classmethod
    def failed(cls, tenant: Tenant, error: Exception) -> AssociationOutcome:
        """Return the outcome for an association that could not be worked on."""
        return cls(tenant.code, tenant.name, error=str(error), needs_people=isinstance(error, PostingError))


@dataclass(frozen=True)
class Report:
    """Everything that the report of one job shows.

    :param request: what the run was asked to do.
    :param run_date: the moment the run stands for.
    :param messages: what became of the messages so far; empty for a dry run.
    :param mode: live, a dry run, or a rehearsal.
    :param switched_off: the job was switched off, so that nothing was looked at.
    """

    job: Job
    request: RunRequest
    run_date: datetime
    associations: Sequence[AssociationOutcome]
    messages: MessageOutcomes = field(default_factory=dict)
    _: KW_ONLY
    mode: Mode
    switched_off: bool = False

    @property
    def items(self) -> list[Row]:
        """The rows of the plans of all associations."""
        return [item for association in self.associations for item in association.items]

    @property
    def failed(self) -> list[AssociationOutcome]:
        """The associations that could not be worked on."""
        return [association for association in self.associations if association.error]

    @property
    def figures(self) -> dict[str, Any]:
        """Counts, and totals in dollars as text."""
        sums = {name: str(amount) for name, amount in totals(self.job, self.items).items()}
        return {"associations": len(self.associations), **count_actions(self.items), **sums}

    def lines(self) -> list[str]:
        """Render the report, line by line as it goes to the task log."""
        text = render(
            f"{self.job}/report.txt",
            report=self,
            request=self.request,
            items=self.items,
            failed=self.failed,
            total=total,
        )
        return text.splitlines()

    def message_outcome(self, item: Row) -> str:
        """Say in words what became of an item's messages."""
        return ", ".join(self.messages.get(str(item.get("reference_id")), ["no one notified"]))


def count_actions(items: Sequence[Row]) -> dict[str, int]:
    """Count a plan's rows by what happens to them; ``posted``, ``skipped`` and ``exceptions`` are always there."""
    actions = Counter(item["action"] for item in items)
    return {"posted": actions["post"], "skipped": actions["skip"], "exceptions": actions["exception"]}


def totals(job: Job, items: Sequence[Row]) -> dict[str, Decimal]:
    """Add up a job's sums of money, in dollars, over the rows that are posted."""
    return {sum_.name: sum((total(items, column) for column in sum_.columns), Decimal("0.00")) for sum_ in job.totals}


def total(items: Sequence[Row], column: str) -> Decimal:
    """Add up a column of money over the rows that are posted."""
    return sum((Decimal(item[column]) for item in items if item["action"] == "post"), Decimal("0.00"))
