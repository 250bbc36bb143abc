"""``make bench``: a deployment of production size on the embedded PostgreSQL, and how fast the jobs go through it.

Seconds depend on the machine; so each figure stands beside another one of the same run, as a ratio.
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg

from devstack.postgres import EmbeddedPostgres

CHECKOUT = Path(__file__).resolve().parents[1]
FOLDER = CHECKOUT / ".local" / "bench"
OWNER, WORKER, PASSWORD = "hoa_ops_owner", "hoa_ops_worker", "bench"
DATABASE = "associations"

SEED = """
    WITH made AS (
        INSERT INTO tenants (code, name, billing_starts_on)
        SELECT %(prefix)s || '-' || lpad(number::text, 5, '0'), initcap(%(prefix)s) || ' ' || number, '2025-11-01'
          FROM generate_series(1, %(tenants)s) AS number
        RETURNING id
    ),
    accounts AS (
        INSERT INTO accounts (tenant_id, number, name, type)
        SELECT made.id, account.number, account.name, account.type
          FROM made
         CROSS JOIN (VALUES ('1000', 'Operating Cash', 'asset'), ('1200', 'Accounts Receivable', 'asset'),
                            ('2200', 'Owner Prepayments', 'liability'), ('4100', 'Assessment Revenue', 'revenue'),
                            ('4200', 'Late Fee Revenue', 'revenue'), ('4300', 'Fine Revenue', 'revenue'))
            AS account (number, name, type)
    ),
    rules AS (
        INSERT INTO late_fee_rules (tenant_id, fee_type, flat_amount, effective_from)
        SELECT made.id, 'flat', 25, '2025-01-01' FROM made
    ),
    types AS (
        INSERT INTO violation_types (tenant_id, name) SELECT made.id, 'Landscaping' FROM made RETURNING tenant_id, id
    ),
    schedules AS (
        INSERT INTO fine_schedules (tenant_id) SELECT made.id FROM made RETURNING tenant_id, id
    ),
    steps AS (
        INSERT INTO fine_schedule_steps (tenant_id, schedule_id, step, name, fine, days_after_previous)
        SELECT tenant_id, id, 1, 'First notice', 50, 0 FROM schedules
    ),
    households AS (
        SELECT made.id AS tenant_id, number, uuidv7() AS owner_id, uuidv7() AS unit_id
          FROM made
         CROSS JOIN generate_series(1, %(units)s) AS number
    ),
    owners AS (
        INSERT INTO owners (tenant_id, id, full_name, email, postal_address)
        SELECT tenant_id, owner_id, 'Owner ' || number, 'owner' || number || '@bench.example', number || ' Main Street'
          FROM households
    ),
    units AS (
        INSERT INTO units (tenant_id, id, unit_number)
        SELECT tenant_id, unit_id, lpad(number::text, 5, '0') FROM households
    ),
    statuses AS (
        INSERT INTO unit_statuses (tenant_id, unit_id, status, starts_on)
        SELECT tenant_id, unit_id, 'occupied', '2020-01-01' FROM households
    ),
    charges AS (
        INSERT INTO recurring_charges (tenant_id, unit_id, charge_kind, description, amount, starts_on)
        SELECT tenant_id, unit_id, 'assessment', 'Assessment', 250, '2020-01-01' FROM households
    ),
    ownerships AS (
        INSERT INTO ownerships (tenant_id, unit_id, owner_id, starts_on)
        SELECT tenant_id, unit_id, owner_id, '2020-01-01' FROM households
    )
    INSERT INTO violations (tenant_id, violation_number, unit_id, violation_type_id, description, reported_on,
                            cure_deadline)
    SELECT households.tenant_id, 'VIOL-' || lpad(households.number::text, 5, '0'), households.unit_id, types.id,
           'Lawn not mowed', '2025-10-01', '2025-10-15'
      FROM households
      JOIN types ON types.tenant_id = households.tenant_id
     WHERE households.number %% 20 = 0
"""


class Bench:
    """A database full of associations, and the jobs as their tasks run them."""

    def __init__(self, server: EmbeddedPostgres) -> None:
        from tests.support.job_runner import JobRunner

        self._owner_dsn = server.dsn(DATABASE, OWNER, PASSWORD)
        self._jobs = JobRunner()

    def connect(self) -> psycopg.Connection:
        """Open a connection as the schema owner."""
        return psycopg.connect(self._owner_dsn, autocommit=True, options="-c search_path=hoa_ops,hoa")

    def seed(self, prefix: str, *, tenants: int, units: int) -> None:
        """Create associations of so many units each, with an owner per unit and a violation in every twentieth."""
        with self.connect() as connection:
            connection.execute("UPDATE tenants SET status = 'inactive'")
            connection.execute(SEED.encode(), {"prefix": prefix, "tenants": tenants, "units": units})
            connection.execute("ANALYZE")

    def billing(self, job: str, on: date, **params: Any) -> float:
        """Run a billing job and return its seconds."""
        return _seconds(lambda: self._jobs.billing(job, on=on, **params))

    def escalate(self, on: date, **params: Any) -> float:
        """Run the escalation of violations and return its seconds."""
        return _seconds(lambda: self._jobs.escalate(on=on, **params))

    def bill_row_by_row(self, prefix: str) -> float:
        """Bill an association as a program does that goes unit by unit, and return its seconds.

        Eight statements a unit, one transaction a unit: what is left when a loop over an object mapper is written well.
        """
        with self.connect() as connection:
            tenant_id = _one(connection, "SELECT id FROM tenants WHERE code LIKE %s || '-%%'", prefix)
            units = connection.execute(
                "SELECT unit_id, amount FROM recurring_charges WHERE tenant_id = %s", [tenant_id]
            )
            rows = units.fetchall()

            def bill() -> None:
                for unit_id, amount in rows:
                    with connection.transaction():
                        _bill_one(connection, tenant_id, unit_id, amount)

            return _seconds(bill)


def _bill_one(connection: psycopg.Connection, tenant_id: UUID, unit_id: UUID, amount: object) -> None:
    day = date(2025, 11, 1)
    owner_id = _one(
        connection, "SELECT owner_id FROM ownerships WHERE tenant_id = %s AND unit_id = %s", tenant_id, unit_id
    )
    account = "SELECT id FROM accounts WHERE tenant_id = %s AND number = %s"
    receivable, revenue = (_one(connection, account, tenant_id, number) for number in ("1200", "4100"))
    number, entry_number = (
        _one(connection, "SELECT next_document_number(%s, %s)", tenant_id, kind)
        for kind in ("invoice", "journal_entry")
    )
    entry_id = _one(
        connection,
        "INSERT INTO journal_entries (tenant_id, entry_number, entry_date, description, source)"
        " VALUES (%s, %s, %s, 'Assessment', 'invoice') RETURNING id",
        *(tenant_id, entry_number, day),
    )
    connection.execute(
        "INSERT INTO journal_entry_lines (tenant_id, entry_id, line_number, account_id, debit, credit)"
        " VALUES (%s, %s, 1, %s, %s, 0), (%s, %s, 2, %s, 0, %s)",
        [tenant_id, entry_id, receivable, amount, tenant_id, entry_id, revenue, amount],
    )
    connection.execute(
        "INSERT INTO invoices (tenant_id, number, kind, unit_id, owner_id, invoice_date, due_date, period, amount,"
        " journal_entry_id) VALUES (%s, %s, 'assessment', %s, %s, %s, %s, %s, %s, %s)",
        [tenant_id, number, unit_id, owner_id, day, day, day, amount, entry_id],
    )


def _one(connection: psycopg.Connection, statement: str, *parameters: object) -> Any:
    row = connection.execute(statement.encode(), parameters).fetchone()
    if row is None:
        message = f"no row: {statement}"
        raise RuntimeError(message)
    return row[0]


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


@contextmanager
def _bench() -> Iterator[Bench]:
    """Start an empty deployment, with the jobs' Connection leading to it."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    home = tempfile.mkdtemp(prefix="airflow-", dir=FOLDER)
    os.environ |= {"AIRFLOW_HOME": home, "AIRFLOW__CORE__DEFAULT_TIMEZONE": "America/New_York"}
    os.environ["AIRFLOW__HOA_OPS__LIVE_RUN_DAYS"] = "36500"
    sys.path.insert(0, str(CHECKOUT / "plugins"))
    from hoa_ops.schema.migrations import migrate
    from hoa_ops.schema.roles import Role, create_roles, grant_worker
    from tests.support.database import go_live

    with EmbeddedPostgres(FOLDER / "postgres") as server:
        create_roles(server.dsn(), database=DATABASE, schema_owner=Role(OWNER, PASSWORD), worker=Role(WORKER, PASSWORD))
        migrate(server.dsn(DATABASE, OWNER, PASSWORD))
        grant_worker(server.dsn(DATABASE, OWNER, PASSWORD), WORKER)
        with psycopg.connect(server.dsn(DATABASE, OWNER, PASSWORD)) as connection:
            go_live(connection)
        os.environ["AIRFLOW_CONN_HOA_OPS_DB"] = server.dsn(DATABASE, WORKER, PASSWORD)
        yield Bench(server)


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--tenants", type=int, default=100, help="associations (default: %(default)s)")
    parser.add_argument("--units", type=int, default=100, help="units of each (default: %(default)s)")
    given = parser.parse_args()
    total = given.tenants * given.units
    november, grace_over, december = date(2025, 11, 1), date(2025, 11, 6), date(2025, 12, 1)

    with _bench() as bench:
        bench.seed("loop", tenants=1, units=given.units)
        loop = bench.bill_row_by_row("loop") / given.units
        # The first runs of a process read DAGs, statements and templates.
        for job in ("generate_invoices", "assess_late_fees", "send_reminders"):
            bench.billing(job, november, dry_run=True)
        bench.escalate(november)
        bench.seed("small", tenants=max(given.tenants // 10, 1), units=given.units)
        small_total = max(given.tenants // 10, 1) * given.units
        small = bench.billing("generate_invoices", november) / small_total
        bench.seed("bench", tenants=given.tenants, units=given.units)
        dry = bench.billing("generate_invoices", november, dry_run=True)
        live = bench.billing("generate_invoices", november)
        again = bench.billing("generate_invoices", november)
        fees = bench.billing("assess_late_fees", grace_over)
        reminders = bench.billing("send_reminders", grace_over)
        escalation = bench.escalate(grace_over)
        second_month = bench.billing("generate_invoices", december)

    print(f"\n{given.tenants} association(s) of {given.units} units: {total:,} units, an owner and a mail each\n")
    rows = [
        (
            "generate_invoices, live",
            live,
            f"{loop / (live / total):.1f} x as fast as unit by unit, which writes no mails",
        ),
        ("generate_invoices, a tenth of it", small * small_total, f"{small / (live / total):.2f} x the time per unit"),
        ("generate_invoices, dry", dry, f"{dry / live:.2f} x the live run"),
        ("generate_invoices, again", again, f"{again / live:.2f} x the live run; posts nothing"),
        ("generate_invoices, next month", second_month, f"{second_month / live:.2f} x the live run"),
        ("assess_late_fees", fees, f"{fees / live:.2f} x the live run; every unit is late"),
        ("send_reminders", reminders, f"{reminders / live:.2f} x the live run; every owner is reminded"),
        ("escalate_violations", escalation, f"{escalation / live:.2f} x the live run; one unit in twenty"),
    ]
    for name, seconds, ratio in rows:
        print(f"  {name:<34}{seconds:>8.1f} s   {ratio}")
    print(f"\n  unit by unit: {1 / loop:.0f} units/s; the job: {total / live:.0f} units/s, with a mail for each\n")


if __name__ == "__main__":
    main()
