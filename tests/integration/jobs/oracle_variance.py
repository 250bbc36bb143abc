"""Which budget lines have run away, decided in plain Python from the rules as people agreed on them.

Knows nothing of the database or its SQL: the tests compare the two.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction


@dataclass(frozen=True)
class Entry:
    """Money spent on an expense account or earned on a revenue account, and perhaps taken back later.

    A closing entry spends and earns nothing.
    """

    on: date
    amount: Decimal
    reversed_on: date | None
    closing: bool = False


@dataclass(frozen=True)
class Account:
    kind: str
    entries: tuple[Entry, ...]

    def between(self, first: date, last: date) -> Decimal:
        """Return what was spent or earned, both days included."""
        entries = [entry for entry in self.entries if not entry.closing]
        booked = [(entry.on, entry.amount) for entry in entries]
        booked += [(entry.reversed_on, -entry.amount) for entry in entries if entry.reversed_on]
        return sum((amount for on, amount in booked if first <= on <= last), Decimal(0))


@dataclass(frozen=True)
class Thresholds:
    """Percentages; ``None`` leaves the matter to the next level."""

    warning: Decimal | None = None
    critical: Decimal | None = None

    def over(self, general: "Thresholds") -> "Thresholds":
        return Thresholds(
            general.warning if self.warning is None else self.warning,
            general.critical if self.critical is None else self.critical,
        )


@dataclass(frozen=True)
class Line:
    budgeted: Decimal
    thresholds: Thresholds
    distribution: tuple[Decimal, ...] | None


@dataclass(frozen=True)
class Budget:
    """A budget over whole months; its lines by the position of their account."""

    month_starts: tuple[date, ...]
    ends_on: date
    status: str
    basis: str
    floor: Decimal
    cooldown: int
    thresholds: Thresholds
    lines: dict[int, Line]


@dataclass(frozen=True)
class Treasury:
    """An association's accounts, budgets and the number of people who are told."""

    accounts: tuple[Account, ...]
    budgets: tuple[Budget, ...]
    contacts: int


@dataclass(frozen=True)
class Run:
    on: date
    thresholds: Thresholds


@dataclass(frozen=True)
class Judgment:
    """What becomes of a line; amounts only where it can be compared at all."""

    action: str
    severity: str | None = None
    budgeted: Decimal | None = None
    actual: Decimal | None = None
    variance: Decimal | None = None


@dataclass
class Oracle:
    """Judges the lines of a treasury run after run, and remembers what it has alerted."""

    treasury: Treasury
    told: list[tuple[int, int, date, str, Decimal]] = field(default_factory=list)

    def judge(self, run: Run) -> dict[tuple[int, int], Judgment]:
        """Return the judgment of a run on every line, by the positions of budget and account."""
        judgments = {
            (number, account): self._judge(run, number, account, line)
            for number, budget in enumerate(self.treasury.budgets)
            if budget.status == "active"
            for account, line in budget.lines.items()
        }
        for (number, account), judgment in judgments.items():
            if judgment.action == "post":
                self.told.append((number, account, run.on, str(judgment.severity), abs(judgment.variance)))
        return judgments

    def _judge(self, run: Run, number: int, position: int, line: Line) -> Judgment:
        budget, account = self.treasury.budgets[number], self.treasury.accounts[position]
        if account.kind not in {"expense", "revenue"}:
            return Judgment("exception")
        budgeted = line.budgeted
        if budget.basis == "to_date":
            if line.distribution is not None and not _is_valid(line.distribution, budget):
                return Judgment("exception")
            budgeted = _in_cents(Fraction(line.budgeted) * _reached(line.distribution, budget, run.on))
        actual = account.between(budget.month_starts[0], min(budget.ends_on, run.on))
        variance = actual - budgeted
        amounts = (budgeted, actual, variance)
        unfavorable = variance if account.kind == "expense" else -variance
        too_early = account.kind == "revenue" and budget.basis == "annual" and run.on <= budget.ends_on
        if run.on < budget.month_starts[0] or unfavorable <= 0 or too_early:
            return Judgment("skip", None, *amounts)
        severity = _severity(line.thresholds.over(budget.thresholds).over(run.thresholds), unfavorable, budgeted)
        if severity is None or unfavorable < budget.floor:
            return Judgment("skip", severity, *amounts)
        # A day is the least cooldown: the same is not told twice on one day.
        quiet_since = run.on - timedelta(days=max(budget.cooldown, 1))
        for told_number, told_position, on, told_severity, told_amount in self.told:
            as_bad = told_amount >= unfavorable and (told_severity == "critical" or severity == "warning")
            if (told_number, told_position) == (number, position) and quiet_since < on and as_bad:
                return Judgment("skip", severity, *amounts)
        return Judgment("post" if self.treasury.contacts else "exception", severity, *amounts)


def _is_valid(distribution: tuple[Decimal, ...], budget: Budget) -> bool:
    return len(distribution) == len(budget.month_starts) and sum(distribution) == 100


def _reached(distribution: tuple[Decimal, ...] | None, budget: Budget, today: date) -> Fraction:
    """Return which part of the budget the day has reached; the current month counts by its days."""
    reached = Fraction(0)
    next_starts = (*budget.month_starts[1:], budget.ends_on + timedelta(days=1))
    for month, (starts, next_starts_on) in enumerate(zip(budget.month_starts, next_starts, strict=True)):
        share = Fraction(1, len(next_starts)) if distribution is None else Fraction(distribution[month]) / 100
        days = (next_starts_on - starts).days
        reached += share * Fraction(max(0, min((today - starts).days + 1, days)), days)
    return reached


def _severity(thresholds: Thresholds, unfavorable: Decimal, budgeted: Decimal) -> str | None:
    if budgeted == 0:
        return "critical"
    percent = Fraction(unfavorable) / abs(Fraction(budgeted)) * 100
    if percent >= thresholds.critical:
        return "critical"
    return "warning" if percent >= thresholds.warning else None


def _in_cents(amount: Fraction) -> Decimal:
    """Round half up, exactly."""
    thousandths = Decimal(int(abs(amount) * 1000)) / 1000
    return (thousandths if amount >= 0 else -thousandths).quantize(Decimal("0.01"), ROUND_HALF_UP)
