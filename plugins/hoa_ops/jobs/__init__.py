"""The jobs: everything that is special to each of them, said once, in a module of its own."""

from __future__ import annotations

from hoa_ops.errors import RequestError
from hoa_ops.jobs.assess_late_fees import ASSESS_LATE_FEES
from hoa_ops.jobs.check_budget_variances import CHECK_BUDGET_VARIANCES
from hoa_ops.jobs.definition import Job
from hoa_ops.jobs.escalate_violations import ESCALATE_VIOLATIONS
from hoa_ops.jobs.generate_invoices import GENERATE_INVOICES
from hoa_ops.jobs.send_reminders import SEND_REMINDERS

__all__ = [
    "ASSESS_LATE_FEES",
    "CHECK_BUDGET_VARIANCES",
    "ESCALATE_VIOLATIONS",
    "GENERATE_INVOICES",
    "JOBS",
    "SEND_REMINDERS",
    "Job",
    "job_named",
    "jobs_of",
]

JOBS = (GENERATE_INVOICES, ASSESS_LATE_FEES, SEND_REMINDERS, ESCALATE_VIOLATIONS, CHECK_BUDGET_VARIANCES)
"""All jobs, in the order in which a month needs them."""


def jobs_of(dag_id: str) -> tuple[Job, ...]:
    """Return the jobs that a DAG carries, in the order in which it does them."""
    return tuple(job for job in JOBS if job.dag_id == dag_id)


def job_named(name: str) -> Job:
    """Return the job of a name.

    :raises RequestError: naming the jobs there are.
    """
    for job in JOBS:
        if job.name == name:
            return job
    raise RequestError(f"there is no job {name!r}: the jobs are {', '.join(map(str, JOBS))}")
