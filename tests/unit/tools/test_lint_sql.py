"""What the check of all SQL makes of files that sqlfluff cannot read as they are, and that it finds what is wrong."""

import pytest
import sqlfluff

from tools.lint_sql import CHECKOUT, as_query, with_literals

FRAGMENT = """{#- The owners. Gives the CTEs `owned` and `counted`. -#}
owned AS (
    SELECT owners.id
      FROM owners
     WHERE owners.tenant_id = %(tenant_id)s
),
counted AS MATERIALIZED (
    SELECT count(*) AS owners
      FROM owned
)
"""


def faults(sql: str) -> list[str]:
    found = sqlfluff.lint(
        as_query(with_literals(sql)), dialect="postgres", config_path=str(CHECKOUT / "pyproject.toml")
    )
    return [fault["code"] for fault in found]


def test_every_line_keeps_its_length() -> None:
    sql = "SELECT %(as_of)s::date, number %% %(shards)s\n  FROM {associations}.invoices\n"
    assert with_literals(sql) == "SELECT '(as_of)'::date, number || '(shards)'\n  FROM _associations_.invoices\n"


def test_a_fragment_becomes_a_query_with_the_same_lines() -> None:
    lines = as_query(FRAGMENT).splitlines()
    assert lines[1:-2] == ["WITH owned AS (", *FRAGMENT.splitlines()[2:]]
    assert lines[-1] == "  FROM owned, counted"


def test_a_fragment_as_it_should_be_has_no_fault() -> None:
    assert faults(FRAGMENT) == []


@pytest.mark.parametrize(
    ("right", "wrong", "code"),
    [
        ("SELECT owners.id", "SELECT people.id", "RF01"),
        ("SELECT owners.id", "SELECT owners.id, owners.id", "AL08"),
        ("SELECT count(*)", "SELECT count(*", "PRS"),
        ("WHERE owners.tenant_id = %(tenant_id)s", "WHERE owners.tenant_id = NULL", "CV05"),
    ],
)
def test_what_is_wrong_is_found(right: str, wrong: str, code: str) -> None:
    assert code in faults(FRAGMENT.replace(right, wrong))
