"""What every test needs: Airflow configured for a folder of its own, before anything imports it."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

AIRFLOW_HOME = tempfile.mkdtemp(prefix="hoa-ops-tests-")
os.environ |= {
    "AIRFLOW_HOME": AIRFLOW_HOME,
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "AIRFLOW__CORE__DEFAULT_TIMEZONE": "America/New_York",
    "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
}
CHECKOUT = Path(__file__).resolve().parents[1]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test by the folder it is in, so that ``-m unit`` runs what is quick."""
    for item in items:
        item.add_marker(item.path.relative_to(CHECKOUT / "tests").parts[0])


@pytest.fixture(scope="session", autouse=True)
def _clean_airflow_home() -> Iterator[None]:
    import shutil

    yield
    shutil.rmtree(AIRFLOW_HOME, ignore_errors=True)
