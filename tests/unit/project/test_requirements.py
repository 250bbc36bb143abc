"""The requirements accept what a platform's Airflow comes with, so that nothing of it has to change."""

from pathlib import Path

import pytest
from packaging.requirements import Requirement

CHECKOUT = Path(__file__).resolve().parents[3]

# What was current when each Airflow was released, and its constraints pin; `make compatibility` installs it.
RELEASED_WITH = {
    "3.3.1": {
        "apache-airflow": "3.3.1",
        "apache-airflow-providers-postgres": "7.0.1",
        "apache-airflow-providers-common-sql": "2.1.0",
        "apache-airflow-providers-smtp": "3.0.3",
        "apache-airflow-providers-slack": "9.10.2",
        "alembic": "1.19.0",
        "sqlalchemy": "2.0.51",
        "psycopg": "3.3.4",
        "pendulum": "3.2.0",
        "croniter": "6.2.4",
        "pydantic": "2.13.4",
        "jinja2": "3.1.6",
    },
    "3.3.2": {
        "apache-airflow": "3.3.2",
        "apache-airflow-providers-postgres": "7.0.2",
        "apache-airflow-providers-common-sql": "2.1.1",
        "apache-airflow-providers-smtp": "3.0.4",
        "apache-airflow-providers-slack": "9.10.2",
        "alembic": "1.20.0",
        "sqlalchemy": "2.0.54",
        "psycopg": "3.3.5",
        "pendulum": "3.2.0",
        "croniter": "6.2.4",
        "pydantic": "2.13.5",
        "jinja2": "3.1.6",
    },
}


def requirements() -> dict[str, Requirement]:
    lines = (line.strip() for line in (CHECKOUT / "requirements.txt").read_text().splitlines())
    parsed = [Requirement(line) for line in lines if line and not line.startswith("#")]
    return {requirement.name: requirement for requirement in parsed}


@pytest.mark.parametrize("airflow", RELEASED_WITH)
def test_requirements_accept_what_an_airflow_was_released_with(airflow: str) -> None:
    refused = {
        name: version
        for name, version in RELEASED_WITH[airflow].items()
        if not requirements()[name].specifier.contains(version)
    }
    assert refused == {}


def test_airflow_of_another_minor_version_is_refused() -> None:
    accepted = requirements()["apache-airflow"].specifier
    assert not accepted.contains("3.3.0")
    assert not accepted.contains("3.4.0")
