"""The complete stack on real Airflow, started once for all end-to-end tests and stopped after them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.airflow_api import AirflowApi
from local.ledgers import Ledgers
from local.slack import SlackSink
from local.stack import Stack

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="session")
def slack() -> Iterator[SlackSink]:
    with SlackSink() as sink:
        yield sink


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory, slack: SlackSink) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("stack")
    variables = {"AIRFLOW_CONN_HOA_OPS_SLACK": slack.connection}
    with Stack(folder, durable=False, schedules=False, variables=variables) as stack:
        yield stack
    assert stack.survivors() == []


@pytest.fixture(scope="session")
def api(stack: Stack) -> AirflowApi:
    return stack.api


@pytest.fixture(scope="session")
def ledgers(stack: Stack) -> Ledgers:
    return Ledgers(stack.owner_dsn)
