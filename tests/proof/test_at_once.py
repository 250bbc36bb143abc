"""Many at once: a job by eight processes on the same associations, and people who post meanwhile."""

import random
import threading
from collections import Counter
from datetime import date

import psycopg
import pytest
from psycopg.rows import dict_row

from devstack.waiting import wait_until
from tests.proof.conftest import MOMENTS
from tests.support.association import POSTING_ACCOUNTS, Association, AssociationsDatabase
from tests.support.job_process import FAILED, finish, start_job
from tests.support.picture import picture

PROCESSES = 8
LEVELS = ("READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE")


def run_at_once(dsn, job, processes=PROCESSES):
    """Start the job that often, each time as a run of its own; return the exit statuses."""
    started = [start_job(dsn, job, MOMENTS[job], dag_run_id=f"manual__{number}") for number in range(processes)]
    return [finish(process) for process in started]


@pytest.mark.parametrize("job", MOMENTS)
def test_job_run_by_eight_processes_at_once_posts_what_one_posts(
    new_database, owner_dsn, worker_dsn, books_are_in_order, long, proved, job
):
    alone = new_database()
    assert run_at_once(worker_dsn(alone), job, processes=1) == [0]
    expected = picture(owner_dsn(alone))
    trials = 20 if long else 1
    for _ in range(trials):
        name = new_database()
        assert run_at_once(worker_dsn(name), job) == [0] * PROCESSES
        found = picture(owner_dsn(name))
        assert {table: rows for table, rows in found.items() if table != "runs"} == {
            table: rows for table, rows in expected.items() if table != "runs"
        }
        books_are_in_order(name)
    proved(
        f"`{job}` by {PROCESSES} processes at once", trials, "the same rows to the cent as by one; the books in order"
    )


class Bookkeeper(threading.Thread):
    """Receives money and applies it, in transactions of one isolation level, until told to stop."""

    def __init__(self, dsn, level, seed):
        super().__init__(name=f"bookkeeper at {level}", daemon=True)
        self.dsn, self.level, self.chance = dsn, level, random.Random(seed)  # noqa: S311
        self.done, self.enough, self.outcomes, self.error = 0, threading.Event(), Counter(), None

    def run(self):
        try:
            with psycopg.connect(
                self.dsn, row_factory=dict_row, options="-c search_path=hoa_ops,hoa", autocommit=True
            ) as connection:
                while not self.enough.is_set():
                    self.post(connection)
                    self.done += 1
        except Exception as error:  # noqa: BLE001 - told in the test's own thread
            self.error = error

    def post(self, connection):
        database = AssociationsDatabase(self.dsn, "")
        database.connection = connection
        try:
            with connection.transaction():
                connection.execute(f"SET TRANSACTION ISOLATION LEVEL {self.level}")
                tenant = database.rows("SELECT * FROM tenants WHERE code = 'maple-court'")[0]
                association = Association(database, tenant["id"], tenant["code"], tenant["name"], POSTING_ACCOUNTS)
                owners = database.rows("SELECT * FROM owners WHERE tenant_id = %s ORDER BY full_name", tenant["id"])
                owner = self.chance.choice(owners)
                if self.chance.random() < 0.3:
                    association.payment(owner, "40.00", on=date(2025, 10, 31))
                else:
                    self.apply(database, association, owner)
        except (
            psycopg.errors.SerializationFailure,
            psycopg.errors.DeadlockDetected,
            psycopg.errors.CheckViolation,
        ) as error:
            self.outcomes[type(error).__name__] += 1
        else:
            self.outcomes["posted"] += 1

    def apply(self, database, association, owner):
        """Apply all that is left of a payment to all that is open of an invoice, as far as this transaction sees."""
        payments = database.rows(
            "SELECT payment_id AS id, unapplied FROM owner_credits WHERE owner_id = %s", owner["id"]
        )
        invoices = database.rows(
            "SELECT invoice_id AS id, balance FROM invoice_balances WHERE owner_id = %s AND balance > 0", owner["id"]
        )
        if payments and invoices:
            payment, invoice = self.chance.choice(payments), self.chance.choice(invoices)
            association.apply(payment, invoice, min(payment["unapplied"], invoice["balance"]), on=date(2025, 11, 1))


def test_people_post_at_every_isolation_level_while_jobs_run(
    new_database, owner_dsn, worker_dsn, books_are_in_order, long, proved
):
    rounds = 20 if long else 2
    outcomes, runs = Counter(), Counter()
    for round_number in range(rounds):
        name = new_database()
        people = [Bookkeeper(owner_dsn(name), level, seed=round_number) for level in LEVELS]
        for person in people:
            person.start()
        wait_until(
            lambda people=people: all(person.done or person.error for person in people), "nobody posts", limit=30
        )
        for job in MOMENTS:
            statuses = run_at_once(worker_dsn(name), job, processes=2)
            assert set(statuses) <= {0, FAILED}
            runs.update(statuses)
        for person in people:
            person.enough.set()
            person.join(60)
            assert person.error is None
            outcomes.update(person.outcomes)
        # What a person's lock or deadlock kept from being posted, the retry posts.
        for job in MOMENTS:
            assert finish(start_job(worker_dsn(name), job, MOMENTS[job], dag_run_id="manual__0")) == 0
        books_are_in_order(name)
    refused = outcomes.total() - outcomes["posted"]
    assert outcomes["posted"]
    proved(
        f"jobs twice at once, beside bookkeepers who receive and apply money at {', '.join(LEVELS)}",
        runs.total() + outcomes.total(),
        f"{outcomes['posted']:,} transactions of people posted, {refused:,} refused by the database; "
        f"{runs[FAILED]} runs failed for an association, and posted it when tried again; no payment spent twice; "
        "the books in order",
    )
