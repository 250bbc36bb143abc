"""The commands ``plan`` and ``compare``: what a job would do as CSV, beside what another program did.

For the time in which the old cron jobs still run: the plan is what a dry run shows, row by row, in a form that can be
kept and compared. It holds ids, numbers and amounts, no names or addresses.
"""

from __future__ import annotations

import csv
import sys
from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING

from hoa_ops.cli.console import connected, say
from hoa_ops.engine.job_run import JobRun, JobSql
from hoa_ops.errors import RequestError
from hoa_ops.jobs import JOBS
from hoa_ops.jobs.run_request import RunDate
from hoa_ops.jobs.schedule import moment_of
from hoa_ops.settings import get_settings
from hoa_ops.templates import money

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace, _SubParsersAction
    from collections.abc import Mapping, Sequence

    from hoa_ops.engine.report import Row
    from hoa_ops.jobs import Job


ASSOCIATION, AMOUNT = "association", "amount"
_VERDICT = ("action", "reason")

_OF_THE_COMMAND = {"dry_run", "as_of", "tenant", "job", "list_favorable"}
"""Params that the command sets itself, or that change only how a report looks."""


def add_commands(commands: _SubParsersAction[ArgumentParser]) -> None:
    """Add the commands to the command line."""
    plan_command = commands.add_parser(
        "plan", help="print what a job would post, or leave alone and why, as CSV; the database refuses every write"
    )
    jobs = plan_command.add_subparsers(dest="job", required=True, metavar="JOB")
    for job in JOBS:
        job_command = jobs.add_parser(job.name, help=f"columns: {', '.join(columns(job))}")
        job_command.add_argument("--as-of", required=True, help="work as if it were this day, YYYY-MM-DD")
        job_command.add_argument("--tenant", help="code or id of one association (default: all active ones)")
        options = _options(job)
        for name in options:
            description = job.request.model_fields[name].description or ""
            job_command.add_argument(f"--{name.replace('_', '-')}", help=description.replace("%", "%%"))
        job_command.set_defaults(run=_print_plan, job=job, options=options)

    compare_command = commands.add_parser(
        "compare",
        help="compare a plan with what another program did, both CSV; exit status 1 unless they are the same",
        description="Rows are matched by the columns of the second file, which must be columns of the plan; those with "
        "the same values are added up. Of the plan only the rows count that would be posted.",
    )
    compare_command.add_argument("plan", type=Path, help="what `plan` printed")
    compare_command.add_argument(
        "other", type=Path, help=f"what the other program did: a column {AMOUNT}, and columns of the plan"
    )
    compare_command.set_defaults(run=_compare)


def columns(job: Job) -> list[str]:
    """Return the columns of a job's plan as CSV."""
    return [ASSOCIATION, *job.key, AMOUNT, *_VERDICT]


def _line(job: Job, code: str, row: Row) -> Row:
    return {ASSOCIATION: code, **{name: row[name] for name in (*job.key, *_VERDICT)}, AMOUNT: row[job.amount]}


def _options(job: Job) -> list[str]:
    """Return the params of a job's DAG that are options of the command."""
    return [
        name
        for name in job.request.model_fields
        if name not in _OF_THE_COMMAND and job.request.job_of_param(name) in {None, job.name}
    ]


def _print_plan(given: Namespace) -> int:
    job: Job = given.job
    params = {"dry_run": True, "as_of": given.as_of, "tenant": given.tenant}
    params |= {name: getattr(given, name) for name in given.options if getattr(given, name) is not None}
    if "job" in job.request.model_fields:
        params["job"] = job.name
    request = job.request.read(params)
    assert request.as_of is not None  # noqa: S101 - the command demands it
    run_date = RunDate(moment=moment_of(job, request.as_of, get_settings().zone))
    with connected() as database:
        report = JobRun(database, job, request, run_date, sql=JobSql.of(job), dag_run_id="plan").execute()
    writer = csv.DictWriter(sys.stdout, columns(job), lineterminator="\n")
    writer.writeheader()
    for association in report.associations:
        if association.error:
            sys.stderr.write(f"{association.code} could not be planned: {association.error}\n")
        writer.writerows(_line(job, association.code, row) for row in association.items)
    return 1 if report.failed else 0


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
    for path, columns, needed in ((plan, ours[0], {AMOUNT, *_VERDICT}), (other, theirs[0], {AMOUNT})):
        missing = needed - set(columns)
        if missing:
            raise RequestError(f"{path}: there is no column {', '.join(sorted(missing))}")
    key = [column for column in theirs[0] if column != AMOUNT]
    known = [column for column in ours[0] if column not in {AMOUNT, *_VERDICT}]
    if not key or not set(key) <= set(known):
        raise RequestError(f"{other}: besides {AMOUNT}, it may have the columns {', '.join(known)}, and must have some")
    posted = [row for row in ours[1] if row["action"] == "post"]
    remarks = {
        tuple(row[column] for column in key): f"the plan leaves it alone: {row['reason']}"
        for row in ours[1]
        if row["action"] != "post"
    }
    return Comparison(_added_up(plan, posted, key), _added_up(other, theirs[1], key), remarks)


def _compare(given: Namespace) -> int:
    comparison = compare(given.plan, given.other)
    for line in comparison.lines():
        say(line)
    return 1 if comparison.differ else 0


def _read(path: Path) -> tuple[list[str], list[dict[str, str]]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            columns, rows = list(reader.fieldnames or []), list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise RequestError(f"{path}: cannot be read as CSV ({error})") from None
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
            raise RequestError(f"{path}: {row[AMOUNT]!r} is no amount; write dollars as 1250.00")
        amounts[tuple(row[column] for column in key)] += amount
    return dict(sorted(amounts.items()))
