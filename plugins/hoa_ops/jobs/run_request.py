"""What a run is asked to do: the params that every DAG has, typed and bounded once, for the form and for the check.

A DAG's model of its params is the only definition of them. Airflow's trigger form is made from it, and
:meth:`RunRequest.read` reads a task's params back through it, so that what the form refuses is refused from the command
line as well.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from hoa_ops.days import YEARS, read_day
from hoa_ops.errors import RequestError
from hoa_ops.faults import in_sentences
from hoa_ops.jobs.schedule import moment_of
from hoa_ops.settings import get_settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hoa_ops.jobs.definition import Job


class RunRequest(BaseModel):
    """Params that every DAG has."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dry_run: bool = Field(
        default=False,
        title="Dry run",
        description="Report what would be posted and sent, and change nothing. The database itself refuses writes.",
    )
    tenant: str | None = Field(
        default=None,
        title="Association",
        description="Only this association: its code, such as sunset-ridge, its id or its name. "
        "Leave empty for all active associations.",
        min_length=1,
        max_length=100,
    )
    as_of: date | None = Field(
        default=None,
        title="As of",
        description="Run as of this date, such as 2025-10-29. Leave empty for the date of the run. "
        "A date after the run date requires a dry run.",
    )

    @field_validator("as_of", mode="before")
    @classmethod
    def _is_a_day(cls, day: object) -> object:
        # A number would be taken for seconds since 1970.
        if day is None or (type(day) is date and day.year in YEARS):
            return day
        return read_day(day if isinstance(day, str) else "")

    @classmethod
    def read(cls, params: Mapping[str, Any]) -> Self:
        """Validate params.

        :raises RequestError: one sentence per wrong param, saying what to change.
        """
        try:
            return cls(**params)
        except ValidationError as error:
            raise RequestError(in_sentences(error, cls, kind="param")) from None

    @property
    def narrowed(self) -> bool:
        """Whether the run leaves out associations on request, so that it proves nothing about the others."""
        return self.tenant is not None

    @property
    def only_job(self) -> str | None:
        """The one job of the DAG that was asked for; nothing where the run is for those that are due."""
        return None

    @classmethod
    def job_of_param(cls, name: str) -> str | None:  # noqa: ARG003
        """Return the one job of the DAG that a param is for; nothing where it is for all of them."""
        return None

    def check_date(self, today: date) -> None:
        """Refuse a live run that is ahead of its time.

        :param today: the date of the run.
        :raises RequestError: saying what to choose instead.
        """
        if self.as_of is not None and self.as_of > today and not self.dry_run:
            raise RequestError(
                f"as_of {self.as_of} is after the run date {today}: choose an earlier date, "
                f"or set dry_run to look ahead"
            )

    @property
    def options(self) -> dict[str, Any]:
        """The params that differ from the defaults, as the run ledger records them."""
        return self.model_dump(mode="json", exclude_defaults=True, exclude={"dry_run"})


class RunDate(BaseModel):
    """The moment a run stands for, in the deployment's time zone; its date is the run's “today”."""

    model_config = ConfigDict(frozen=True)

    moment: datetime

    @property
    def as_of(self) -> date:
        """The day from which days overdue, periods and deadlines are counted."""
        return self.moment.date()

    @classmethod
    def of(cls, request: RunRequest, moment: datetime, *, job: Job) -> Self:
        """Derive it from the request and the moment of the run, never from the clock.

        :param moment: of the run, time-zone aware.
        :param job: whose scheduled time of day an ``as_of`` day is given.
        :raises RequestError: when a live run is asked for a day, or a month, after the run's own date.
        """
        zone = get_settings().zone
        moment = moment.astimezone(zone)
        request.check_date(moment.date())
        return cls(moment=moment if request.as_of is None else moment_of(job, request.as_of, zone))
