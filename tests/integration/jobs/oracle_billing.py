"""What units are billed, month after month, decided in plain Python from docs/rules.md.

Knows nothing of the database or its SQL: the tests compare the two. Amounts are whole cents.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from math import floor

KINDS = ("assessment", "special_assessment", "other")
MOST_MONTHS_TO_CATCH_UP = 12


@dataclass
class Charge:
    """A row of what a unit is charged; ``every`` so many months, from the first day to the last, or so many times."""

    kind: str
    description: str
    cents: int
    every: int
    first: date
    last: date | None
    times: int | None
    account: str | None

    def turn(self, month: date) -> int | None:
        """Return which time it is charged, or was last, counted from 0; nothing where it is not in force."""
        begins = self.first if self.first.day == 1 else next_month(self.first.replace(day=1))
        if month < begins or (self.last is not None and month > self.last):
            return None
        turn = months_between(begins, month) // self.every
        return None if self.times is not None and turn >= self.times else turn

    def is_due(self, month: date) -> bool:
        begins = self.first if self.first.day == 1 else next_month(self.first.replace(day=1))
        return months_between(begins, month) % self.every == 0

    def text(self, month: date) -> str:
        said = f"{self.description} {month:%B %Y}"
        if self.times is not None:
            return f"{said}, installment {self.turn(month) + 1} of {self.times}"
        if self.every > 1:
            return f"{said} to {shifted(month, self.every - 1):%B %Y}"
        return said


@dataclass
class Ownership:
    owner: int
    percentage: Decimal
    first: date
    last: date | None


@dataclass
class Unit:
    statuses: list[tuple[date, str]]
    charges: list[Charge]
    ownerships: list[Ownership]

    def owners(self, day: date) -> dict[int, Decimal]:
        """Return the owners of record with their percentages."""
        shares = Counter()
        for ownership in self.ownerships:
            if ownership.first <= day and (ownership.last is None or day <= ownership.last):
                shares[ownership.owner] += ownership.percentage
        return dict(shares)


@dataclass
class Terms:
    """What an association decides about its invoices."""

    days: int
    bills_vacant: bool
    starts_on: date | None


@dataclass(frozen=True)
class Line:
    kind: str
    text: str
    cents: int
    account: str


@dataclass(frozen=True)
class Row:
    """What a run does about a unit's month, or about one owner's part of it."""

    month: date
    unit: int
    owner: int | None
    action: str
    due: date | None = None
    lines: tuple[Line, ...] = ()


@dataclass
class Invoice:
    row: Row
    is_void: bool = False

    @property
    def cents(self) -> int:
        return sum(line.cents for line in self.row.lines)


class Refused(Exception):  # noqa: N818 - what is said, not what went wrong
    """The run cannot post for this association."""


@dataclass
class Oracle:
    """Bills an association run after run, and remembers what it has billed."""

    terms: Terms
    units: list[Unit]
    invoices: list[Invoice] = field(default_factory=list)
    billed: set[date] = field(default_factory=set)
    failed: set[date] = field(default_factory=set)

    def run(self, on: date, *, only: date | None, can_post: bool) -> list[Row]:
        """Bill, and return what was done, in the order of the report.

        :raises Refused: when nothing could be posted; the first month to bill is known from then on.
        """
        this_month = on.replace(day=1)
        try:
            months = [only] if only else self._months(this_month)
            rows = self._rows(months, on, can_post=can_post)
        except Refused:
            self.failed.add(this_month)
            raise
        first = self._first_month(this_month)
        self.invoices += [Invoice(row) for row in rows if row.action == "post"]
        self.billed |= {row.month for row in rows if row.month >= first}
        return rows

    def _start(self) -> date | None:
        return self.terms.starts_on.replace(day=1) if self.terms.starts_on else None

    def _first_month(self, this_month: date) -> date:
        return self._start() or min(self.billed | self.failed, default=this_month)

    def _months(self, this_month: date) -> list[date]:
        month = min(self._first_month(this_month), this_month)
        months = []
        while month <= this_month:
            months.append(month)
            month = next_month(month)
        unbilled = [month for month in months if month not in self.billed]
        if len(unbilled) > MOST_MONTHS_TO_CATCH_UP:
            raise Refused
        return sorted({*unbilled, this_month})

    def _rows(self, months: list[date], on: date, *, can_post: bool) -> list[Row]:
        rows = [row for month in months for number in range(len(self.units)) for row in self._bill(number, month, on)]
        if not can_post and any(row.action == "post" for row in rows):
            raise Refused
        return rows

    def _bill(self, number: int, month: date, on: date) -> list[Row]:
        unit = self.units[number]
        before_start = self._start() is not None and month < self._start()
        verdict = "skip" if before_start else self._verdict(unit, month)
        there = [
            invoice
            for invoice in self.invoices
            if (invoice.row.unit, invoice.row.month) == (number, month) and not invoice.is_void
        ]
        if verdict == "skip" and there and month >= self._first_month(on.replace(day=1)):
            verdict = "exception"
        owners = unit.owners(month)
        if verdict is None and sum(owners.values()) != 100:
            verdict = "exception"
        if verdict is not None:
            return [Row(month, number, None, verdict)]
        lines = self._lines(unit, number, month, owners)
        amounts = {owner: sum(line.cents for line in of_owner) for owner, of_owner in lines.items()}
        wrong = [invoice for invoice in there if amounts.get(invoice.row.owner) != invoice.cents]
        rows = []
        for owner in sorted(owners, key=lambda owner: (-owners[owner], owner)):
            is_billed = any(invoice.row.owner == owner for invoice in there if invoice not in wrong)
            if any(invoice.row.owner not in owners for invoice in wrong):
                action = "exception"
            elif is_billed:
                action = "skip"
            elif wrong:
                action = "exception"
            else:
                action = "post" if amounts[owner] else "skip"
            due = max(month, on) + timedelta(days=self.terms.days)
            rows.append(Row(month, number, owner, action, *((due, lines[owner]) if action == "post" else ())))
        return rows

    def _verdict(self, unit: Unit, month: date) -> str | None:
        """Say why a unit is not billed for a month, if it is not."""
        statuses = [status for since, status in sorted(unit.statuses) if since <= month]
        if not statuses:
            return "skip" if unit.statuses else "exception"
        if statuses[-1] == "exempt" or (statuses[-1] == "vacant" and not self.terms.bills_vacant):
            return "skip"
        in_force = [charge for charge in unit.charges if charge.turn(month) is not None]
        due = [charge for charge in in_force if charge.is_due(month)]
        twice = any(count > 1 for count in Counter((charge.kind, charge.description) for charge in in_force).values())
        if not unit.charges or twice or any(charge.cents < 0 for charge in due):
            return "exception"
        return None if any(charge.cents for charge in due) else "skip"

    @staticmethod
    def _lines(unit: Unit, number: int, month: date, owners: dict[int, Decimal]) -> dict[int, tuple[Line, ...]]:
        lines = {owner: [] for owner in owners}
        due = [charge for charge in unit.charges if charge.turn(month) is not None and charge.is_due(month)]
        for charge in sorted(due, key=lambda charge: (KINDS.index(charge.kind), charge.description)):
            for owner, cents in shares(charge.cents, owners).items():
                share = f", {owners[owner].normalize():f}% share" if owners[owner] < 100 else ""
                text = f"{charge.text(month)}, Unit {unit_number(number)}{share}"
                if cents:
                    lines[owner].append(Line(charge.kind, text, cents, charge.account or "4100"))
        return {owner: tuple(of_owner) for owner, of_owner in lines.items()}


def shares(cents: int, owners: dict[int, Decimal]) -> dict[int, int]:
    """Divide by percentage; leftover cents go to those who lost most by rounding down."""
    exact = {owner: Fraction(percentage) * cents / 100 for owner, percentage in owners.items()}
    whole = {owner: floor(amount) for owner, amount in exact.items()}
    in_line = sorted(owners, key=lambda owner: (whole[owner] - exact[owner], -owners[owner], owner))
    for owner in in_line[: cents - sum(whole.values())]:
        whole[owner] += 1
    return whole


def unit_number(number: int) -> str:
    return str(number + 9)


def months_between(first: date, last: date) -> int:
    return (last.year - first.year) * 12 + last.month - first.month


def shifted(month: date, months: int) -> date:
    count = month.year * 12 + month.month - 1 + months
    return date(count // 12, count % 12 + 1, 1)


def next_month(month: date) -> date:
    return shifted(month, 1)
