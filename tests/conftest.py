"""What every test needs: Airflow configured for a folder of its own, before anything imports it."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from xdist.scheduler import LoadScopeScheduling

pytest_plugins = ["tests.support.no_skips", "tests.support.proof_page"]

AIRFLOW_HOME = tempfile.mkdtemp(prefix="hoa-ops-tests-")
atexit.register(shutil.rmtree, AIRFLOW_HOME, ignore_errors=True)
os.environ |= {
    "AIRFLOW_HOME": AIRFLOW_HOME,
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "AIRFLOW__CORE__DEFAULT_TIMEZONE": "America/New_York",
    "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
    # The days of the tests are fixed, and longer ago every day.
    "AIRFLOW__HOA_OPS__LIVE_RUN_DAYS": "36500",
}
CHECKOUT = Path(__file__).resolve().parents[1]
THE_RUNNING_AIRFLOW = "the Airflow that end-to-end tests share"
STARTS_ITS_OWN = {"tests/e2e/compose/test_compose.py", "tests/e2e/devstack/test_demo.py"}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark every test by the folder it is in, so that ``-m unit`` runs what is quick."""
    for item in items:
        item.add_marker(item.path.relative_to(CHECKOUT / "tests").parts[0])
    if hasattr(config, "workerinput"):
        # The longest share first.
        items.sort(key=lambda item: _share(item.nodeid) != THE_RUNNING_AIRFLOW)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> "LoadScopeScheduling":
    """Where two processes share the tests, give all that use the running Airflow to one, and the rest file by file."""
    from xdist.scheduler import LoadScopeScheduling

    class ByShare(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return _share(nodeid)

    return ByShare(config, log)


def _share(nodeid: str) -> str:
    file = nodeid.partition("::")[0]
    return THE_RUNNING_AIRFLOW if file.startswith("tests/e2e/") and file not in STARTS_ITS_OWN else file
