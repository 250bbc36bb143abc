"""An association in which every job has something to do, on a server that proofs may kill."""

import itertools
from collections.abc import Callable, Iterator
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from devstack.postgres import EmbeddedPostgres
from hoa_ops.books.integrity import deviations
from hoa_ops.database import SchemaOwnerDatabase
from tests.support.association import Association, AssociationsDatabase
from tests.support.database import OWNER, PASSWORD, WORKER, prepare

ZONE = ZoneInfo("America/New_York")
MOMENTS = {
    "generate_invoices": datetime(2025, 11, 1, 2, tzinfo=ZONE),
    "assess_late_fees": datetime(2025, 11, 6, 3, tzinfo=ZONE),
    "send_reminders": datetime(2025, 11, 10, 8, tzinfo=ZONE),
    "escalate_violations": datetime(2025, 11, 10, 6, tzinfo=ZONE),
    "check_budget_variances": datetime(2025, 11, 10, 9, tzinfo=ZONE),
}
"""When each job is run."""
EMPTY, BUSY = "proof_empty", "proof_busy"
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    with EmbeddedPostgres(tmp_path_factory.mktemp("proof") / "data", durable=False) as postgres:
        prepare(postgres, EMPTY)
        postgres.create_database(BUSY, owner=OWNER, template=EMPTY)
        with AssociationsDatabase(postgres.dsn(BUSY, OWNER, PASSWORD), "") as database:
            for code in ("maple-court", "oak-hill"):
                furnish(database.association(code))
        yield postgres


@pytest.fixture
def new_database(server: EmbeddedPostgres) -> Callable[..., str]:
    """Makes a copy of a database, by default of that of the associations, and returns its name."""

    def copy(template: str = BUSY) -> str:
        name = f"proof_{next(_numbers)}"
        server.create_database(name, owner=OWNER, template=template)
        return name

    return copy


@pytest.fixture
def owner_dsn(server: EmbeddedPostgres) -> Callable[[str], str]:
    return lambda name: server.dsn(name, OWNER, PASSWORD)


@pytest.fixture
def worker_dsn(server: EmbeddedPostgres) -> Callable[[str], str]:
    return lambda name: server.dsn(name, WORKER, PASSWORD)


@pytest.fixture
def books_are_in_order(owner_dsn: Callable[[str], str]) -> Callable[[str], None]:
    def check(name: str) -> None:
        with SchemaOwnerDatabase(owner_dsn(name)) as database, database.transaction(read_only=True) as cursor:
            tenants = cursor.rows("SELECT id FROM tenants")
            assert [deviations(cursor, row["id"], as_of=MOMENTS["send_reminders"].date()) for row in tenants] == [
                [],
                [],
            ]

    return check


def furnish(association: Association) -> None:
    """Give an association owners and co-owners, credit, overdue invoices, a violation and a budget."""
    ann = association.owner()
    bob = association.owner("Bob Owner", email="bob@example.com")
    carol = association.owner("Carol Owner", email=None)
    first = association.unit("101", owner=ann)
    second = association.unit("102", monthly_assessment="275.25")
    association.ownership(second, bob, percentage="66.6667")
    association.ownership(second, carol, percentage="33.3333")
    for month in (9, 10):
        association.invoice(first, ann, "250.00", on=date(2025, month, 1))
    association.invoice(second, bob, "183.50", on=date(2025, 10, 1))
    association.payment(ann, "310.00", on=date(2025, 10, 20))
    association.payment(bob, "400.00", on=date(2025, 10, 31))
    association.insert("late_fee_rules", fee_type="flat", flat_amount="25.00", effective_from=date(2025, 1, 1))
    association.violation(second, association.violation_type(), cure_deadline=date(2025, 11, 1))
    budget = association.budget()
    association.budget_line(budget, "5200", "8000.00")
    association.journal(date(2025, 10, 5), "5200", "1000", "11200.00")
    association.contact()
