"""The requirements accept what a platform's Airflow comes with, so that nothing of it has to change."""

import re
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
        "apache-airflow-providers-apprise": "2.3.4",
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
        "apache-airflow-providers-apprise": "2.3.4",
        "alembic": "1.20.0",
        "sqlalchemy": "2.0.54",
        "psycopg": "3.3.5",
        "pendulum": "3.2.0",
        "croniter": "6.2.4",
        "pydantic": "2.13.5",
        "jinja2": "3.1.6",
    },
}


OPTION = re.compile(r"^# (?=[a-z-]+>=)")
"""A requirement that is commented out, for whoever wants it."""


def requirements(*, name: str = "requirements.txt", options: bool = True) -> dict[str, Requirement]:
    lines = (CHECKOUT / name).read_text().splitlines()
    wanted = [OPTION.sub("", line) if options else line for line in lines]
    parsed = [Requirement(line) for line in wanted if line and not line.startswith(("#", "-r"))]
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


def test_optional_package_is_not_installed_by_default_and_is_tested() -> None:
    options = requirements().keys() - requirements(options=False).keys()
    assert options == {"apache-airflow-providers-apprise"}
    tested = requirements(name="requirements-dev.txt")
    assert {str(tested[name]) for name in options} == {str(requirements()[name]) for name in options}
