"""The command ``plan``: what a dry run shows, row by row, in a form that can be kept and compared.

It prints ids, numbers and amounts, no names or addresses.
"""

from __future__ import annotations

import csv
import sys
from typing import TYPE_CHECKING

from hoa_ops.cli.arguments import add_association, day
from hoa_ops.cli.console import connected, say
from hoa_ops.engine.comparison import AMOUNT, VERDICT
from hoa_ops.engine.go_live import Mode
from hoa_ops.engine.job_run import JobRun, JobSql
from hoa_ops.jobs import JOBS
from hoa_ops.jobs.run_request import RunDate
from hoa_ops.jobs.schedule import moment_of
from hoa_ops.settings import get_settings

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from hoa_ops.database import Row
    from hoa_ops.jobs import Job

ASSOCIATION = "association"

_OF_THE_COMMAND = {"dry_run", "as_of", "tenant", "job", "list_favorable"}
"""Params that the command sets itself, or that change only how a report looks."""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the command's arguments: those of each job."""
    parser.description = (
        "Print what a job would post, or skip and why, as CSV or as the report of a dry run. Nothing is posted: the "
        "database refuses to write."
    )
    jobs = parser.add_subparsers(dest="job", required=True, metavar="JOB")
    for job in JOBS:
        job_parser = jobs.add_parser(job.name, help=f"columns: {', '.join(columns(job))}")
        job_parser.add_argument(
            "--as-of", type=day, required=True, metavar="DAY", help="work as if it were this day, YYYY-MM-DD"
        )
        add_association(job_parser, default="all active ones")
        job_parser.add_argument("--report", action="store_true", help="print the report of a dry run instead of CSV")
        options = _options(job)
        for name in options:
            description = job.request.model_fields[name].description or ""
            job_parser.add_argument(f"--{name.replace('_', '-')}", help=description.replace("%", "%%"))
        job_parser.set_defaults(job=job, options=options)


def run(given: Namespace) -> int:
    """Print the plan of every association."""
    job: Job = given.job
    params = {"dry_run": True, "as_of": given.as_of, "tenant": given.tenant}
    params |= {name: getattr(given, name) for name in given.options if getattr(given, name) is not None}
    if "job" in job.request.model_fields:
        params["job"] = job.name
    run_date = RunDate(moment=moment_of(job, given.as_of, get_settings().zone))
    with connected() as database:
        report = JobRun(
            database, job, job.request.read(params), run_date, sql=JobSql.of(job), mode=Mode.DRY_RUN, dag_run_id="plan"
        ).execute()
    if given.report:
        for line in report.lines():
            say(line)
        return 1 if report.failed else 0
    writer = csv.DictWriter(sys.stdout, columns(job), lineterminator="\n")
    writer.writeheader()
    for association in report.associations:
        if association.error:
            sys.stderr.write(f"{association.code} could not be planned: {association.error}\n")
        writer.writerows(_line(job, association.code, row) for row in association.items)
    return 1 if report.failed else 0


def columns(job: Job) -> list[str]:
    """Return the columns of a job's plan as CSV."""
    return [ASSOCIATION, *job.key, AMOUNT, *VERDICT]


def _line(job: Job, code: str, row: Row) -> Row:
    return {ASSOCIATION: code, **{name: row[name] for name in (*job.key, *VERDICT)}, AMOUNT: row[job.amount]}


def _options(job: Job) -> list[str]:
    """Return the params of a job's DAG that are options of the command."""
    return [
        name
        for name in job.request.model_fields
        if name not in _OF_THE_COMMAND and job.request.job_of_param(name) in {None, job.name}
    ]
