"""A plan beside what another program did: for the time in which the old cron jobs still run."""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from hoa_ops.errors import RequestError
from hoa_ops.templates import money
from hoa_ops.text import on_one_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

AMOUNT = "amount"
"""The column with the dollars, in both files."""

VERDICT = ("action", "reason")
"""The columns of a plan that say whether a row would be posted, and if not, why."""

Key = tuple[str, ...]


@dataclass(frozen=True)
class Comparison:
    """Amounts by key, as we have them and as the other program has them.

    :param remarks: why we leave alone what the other program has, where we do.
    """

    ours: Mapping[Key, Decimal]
    theirs: Mapping[Key, Decimal]
    remarks: Mapping[Key, str]

    @property
    def differ(self) -> bool:
        """Whether anything is not the same."""
        return self.ours != self.theirs

    def lines(self) -> list[str]:
        """Say what only one side has, what both have with different amounts, and the totals."""
        only_here = [key for key in self.ours if key not in self.theirs]
        only_there = [key for key in self.theirs if key not in self.ours]
        both = [key for key in self.ours if key in self.theirs]
        different = [key for key in both if self.ours[key] != self.theirs[key]]
        lines = self._part("Only in the plan", only_here, self.ours)
        lines += self._part("Only in the other file", only_there, self.theirs)
        if different:
            lines.append(f"Different amounts: {len(different)} row(s)")
            lines += [
                f"  {_words(key)}: plan {money(self.ours[key])}, other file {money(self.theirs[key])}"
                for key in different
            ]
        lines.append(f"The same: {len(both) - len(different)} row(s)")
        here, there = (sum(side.values(), Decimal(0)) for side in (self.ours, self.theirs))
        lines.append(f"Totals: plan {money(here)}, other file {money(there)}, difference {money(here - there)}")
        return lines

    def _part(self, heading: str, keys: Sequence[Key], amounts: Mapping[Key, Decimal]) -> list[str]:
        if not keys:
            return []
        total = sum((amounts[key] for key in keys), Decimal(0))
        return [f"{heading}: {len(keys)} row(s), {money(total)}"] + [
            f"  {_words(key)}: {money(amounts[key])}" + (f" ({self.remarks[key]})" if key in self.remarks else "")
            for key in keys
        ]


def _words(key: Key) -> str:
    return ", ".join(key)


def compare(plan: Path, other: Path) -> Comparison:
    """Compare a plan with what another program did.

    :raises RequestError: when a file cannot be read, lacks a column, has one too many, or an amount is wrong.
    """
    ours, theirs = _read(plan), _read(other)
    for path, columns, needed in ((plan, ours[0], {AMOUNT, *VERDICT}), (other, theirs[0], {AMOUNT})):
        missing = needed - set(columns)
        if missing:
            raise RequestError(f"{path}: there is no column {', '.join(sorted(missing))}")
    key = [column for column in theirs[0] if column != AMOUNT]
    known = [column for column in ours[0] if column not in {AMOUNT, *VERDICT}]
    if not key or not set(key) <= set(known):
        raise RequestError(f"{other}: it needs {AMOUNT}, one or more of the columns {', '.join(known)}, and no others")
    posted = [row for row in ours[1] if row["action"] == "post"]
    remarks = {
        tuple(row[column] for column in key): f"the plan leaves it alone: {row['reason']}"
        for row in ours[1]
        if row["action"] != "post"
    }
    return Comparison(_added_up(plan, posted, key), _added_up(other, theirs[1], key), remarks)


def _read(path: Path) -> tuple[list[str], list[dict[str, str]]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            columns, rows = list(reader.fieldnames or []), list(reader)
    except OSError as error:
        raise RequestError(f"{on_one_line(str(path))}: cannot be read: {error.strerror or error}") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise RequestError(f"{path}: is not a CSV file in UTF-8: {error}") from None
    for number, row in enumerate(rows, start=1):
        if None in row or None in row.values():
            raise RequestError(f"{path}: row {number} does not have {len(columns)} values")
    return columns, rows


def _added_up(path: Path, rows: Sequence[Mapping[str, str]], key: Sequence[str]) -> dict[Key, Decimal]:
    amounts: dict[Key, Decimal] = defaultdict(Decimal)
    for row in rows:
        try:
            amount = Decimal(row[AMOUNT])
        except InvalidOperation:
            amount = Decimal("NaN")
        if not amount.is_finite():
            raise RequestError(f"{path}: {row[AMOUNT]!r} is not an amount: write dollars as 1250.00")
        amounts[tuple(row[column] for column in key)] += amount
    return dict(sorted(amounts.items(), key=lambda row: [_natural_order(value) for value in row[0]]))


def _natural_order(value: str) -> tuple[str, str]:
    """Return what puts values in the order of the reports: unit 2 before unit 10."""
    return re.sub(r"\d+", lambda digits: digits[0].zfill(20), value), value
