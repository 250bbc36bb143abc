"""What escalation has to do, decided in plain Python from the rules as people agreed on them.

Knows nothing of the database or its SQL: the tests compare the two.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from math import floor


@dataclass(frozen=True)
class Step:
    """A step of a fine schedule; ``days`` count from the step before, the first step's from the cure deadline."""

    fine: Decimal
    days: int
    needs_board: bool = False


Schedule = tuple[Step, ...]


@dataclass(frozen=True)
class Taken:
    """A step that a violation has behind it, or that waits for the board; a voided fine counts no more."""

    on: date
    fine: Decimal
    voided: bool = False
    waits_for_board: bool = False

    @property
    def charged(self) -> Decimal:
        return Decimal(0) if self.voided or self.waits_for_board else self.fine


@dataclass(frozen=True)
class Violation:
    number: str
    unit: int
    kind: int
    status: str
    cure_deadline: date
    taken: tuple[Taken, ...]


@dataclass(frozen=True)
class Ownership:
    owner: int
    percentage: Decimal
    since: date
    until: date | None


@dataclass(frozen=True)
class Neighborhood:
    """An association on one day; units, kinds of violation and owners are known by their position."""

    today: date
    grace: int
    cap_per_violation: Decimal | None
    cap_per_year: Decimal | None
    default_schedule: Schedule | None
    schedules: tuple[Schedule | None, ...]
    units: tuple[tuple[Ownership, ...], ...]
    violations: tuple[Violation, ...]

    def owners_of(self, unit: int) -> dict[int, Decimal]:
        """Return who owns how many percent of a unit today."""
        shares: dict[int, Decimal] = {}
        for ownership in self.units[unit]:
            if ownership.since <= self.today and (ownership.until is None or self.today <= ownership.until):
                shares[ownership.owner] = shares.get(ownership.owner, Decimal(0)) + ownership.percentage
        return shares


@dataclass(frozen=True)
class Decision:
    """What happens to a violation; step and fine only if it is escalated."""

    action: str
    step: int | None = None
    fine: Decimal | None = None


def decide(neighborhood: Neighborhood) -> dict[str, Decision]:
    """Return the decision on every violation that is still open, by its number."""
    charged_this_year = dict.fromkeys(range(len(neighborhood.units)), Decimal(0))
    for violation in neighborhood.violations:
        charged_this_year[violation.unit] += sum(
            taken.charged for taken in violation.taken if taken.on.year == neighborhood.today.year
        )
    decisions = {}
    for violation in sorted(neighborhood.violations, key=lambda violation: int(violation.number.removeprefix("V-"))):
        if violation.status not in {"open", "escalated"}:
            continue
        step = _next_step(neighborhood, violation)
        if isinstance(step, str):
            decisions[violation.number] = Decision(step)
            continue
        fine = step.fine
        if neighborhood.cap_per_violation is not None:
            charged = sum(taken.charged for taken in violation.taken)
            fine = min(fine, max(neighborhood.cap_per_violation - charged, Decimal(0)))
        if neighborhood.cap_per_year is not None:
            left = neighborhood.cap_per_year - charged_this_year[violation.unit]
            fine = min(fine, max(left, Decimal(0)))
        charged_this_year[violation.unit] += fine
        decisions[violation.number] = Decision("post", len(violation.taken) + 1, fine)
    return decisions


def _next_step(neighborhood: Neighborhood, violation: Violation) -> Step | str:
    """Return the step that is due today, or what happens instead."""
    today, taken = neighborhood.today, violation.taken
    schedule = neighborhood.schedules[violation.kind] or neighborhood.default_schedule
    if (today - violation.cure_deadline).days < max(neighborhood.grace, 1):
        return "skip"
    if taken and taken[-1].waits_for_board:
        return "skip"
    if schedule is None or len(taken) >= len(schedule):
        return "exception"
    step = schedule[len(taken)]
    # A day brings one step at most, however often the job runs.
    due = taken[-1].on + timedelta(days=max(step.days, 1)) if taken else violation.cure_deadline + timedelta(step.days)
    if today < due:
        return "skip"
    if step.needs_board or sum(neighborhood.owners_of(violation.unit).values()) != 100:
        return "exception"
    return step


def is_fair(fine: Decimal, owners: dict[int, Decimal], shares: dict[int, Decimal]) -> bool:
    """Say whether shares divide a fine by percentage, to the cent and by largest remainder.

    :param owners: percent by owner, 100 in all.
    :param shares: dollars by owner; an owner whose share is nothing may be missing.
    """
    exact = {owner: Fraction(fine) * Fraction(percentage) for owner, percentage in owners.items()}
    cents = {owner: Fraction(shares.get(owner, Decimal(0))) * 100 for owner in owners}
    extra = {owner: cents[owner] - floor(exact[owner]) for owner in owners}
    remainders = {
        cent: [exact[owner] - floor(exact[owner]) for owner in owners if extra[owner] == cent] for cent in (0, 1)
    }
    return (
        set(shares) <= set(owners)
        and sum(shares.values()) == fine
        and set(extra.values()) <= {0, 1}
        and max(remainders[0], default=Fraction(0)) <= min(remainders[1], default=Fraction(1))
    )
