"""A migrated PostgreSQL database for every test, worked on as the role that runs the jobs."""

import itertools
from collections.abc import Iterator

import pytest

from devstack.postgres import EmbeddedPostgres
from tests.support.association import Association, AssociationsDatabase, Row
from tests.support.books import deviations_of_all
from tests.support.database import OWNER, PASSWORD, WORKER, prepare
from tests.support.job_runner import JobRunner

TEMPLATE = "associations_template"


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    with EmbeddedPostgres(tmp_path_factory.mktemp("postgres") / "data", durable=False) as server:
        prepare(server, TEMPLATE)
        yield server


_numbers = itertools.count(1)


@pytest.fixture
def database(postgres: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch) -> Iterator[AssociationsDatabase]:
    """An empty database with all tables; Airflow's Connection leads to it as the worker."""
    name = f"associations_{next(_numbers)}"
    postgres.create_database(name, owner=OWNER, template=TEMPLATE)
    worker_dsn = postgres.dsn(name, WORKER, PASSWORD)
    monkeypatch.setenv("AIRFLOW_CONN_HOA_OPS_DB", worker_dsn)
    with AssociationsDatabase(postgres.dsn(name, OWNER, PASSWORD), worker_dsn) as associations:
        yield associations


@pytest.fixture
def books_in_order(database: AssociationsDatabase) -> Iterator[None]:
    """After the test, whatever it did, every association's books must be in order."""
    yield
    assert deviations_of_all(database) == []


@pytest.fixture
def maple(database: AssociationsDatabase) -> Association:
    """An association with the usual chart of accounts and nothing else."""
    return database.association()


@pytest.fixture
def owner(maple: Association) -> Row:
    return maple.owner()


@pytest.fixture
def unit(maple: Association, owner: Row) -> Row:
    """Unit 101, all of it the owner's."""
    return maple.unit("101", owner=owner)


@pytest.fixture
def jobs() -> JobRunner:
    """Runs single tasks of the real DAG files."""
    return JobRunner()
