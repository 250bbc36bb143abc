"""How every statement file is written, and that no job takes its date from a clock."""

import re
from pathlib import Path

import pytest

from hoa_ops.settings import get_settings

SQL = get_settings().sql_dir
PLUGINS = Path(__file__).resolve().parents[3] / "plugins"
SCRIPTS = {("schema", folder) for folder in ("migrations", "roles", "functions", "triggers", "views")}
"""What defines things instead of asking for rows."""
STATEMENTS = sorted(path for path in SQL.rglob("*.sql") if path.relative_to(SQL).parts[:2] not in SCRIPTS)
DEFINITIONS = sorted(
    path for what in ("functions", "triggers", "views") for path in (SQL / "schema" / what).rglob("*.sql")
)
INCLUDE = re.compile(r"\{% include '((?:[a-z_]+/)+[a-z_]+\.sql)' %\}")

RECORDS_THE_MOMENT = re.compile(r"delivery/.*|engine/finish_run.sql")
"""Where the moment something happened is part of the record: they may read the server's clock."""
CLOCK = re.compile(
    r"\b(now|clock_timestamp|statement_timestamp|transaction_timestamp|timeofday)\s*\(|'now'", re.IGNORECASE
)
TODAY = re.compile(r"\b(current_date|current_time|current_timestamp|localtime|localtimestamp)\b|'today'", re.IGNORECASE)

PYTHON_CLOCK = re.compile(r"\b(now|today|utcnow)\(|\btime\.time\(|\bfromtimestamp\(")
LOOKS_ON = {
    f"hoa_ops/{module}.py"
    for module in (
        "cli/aging",
        "cli/check_books",
        "cli/console",
        "cli/export_journal",
        "cli/health",
        "cli/prune",
        "cli/reverse",
        "cli/statement",
        "engine/live_dates",
        "monitoring/alerts/stuck_mail",
        "monitoring/deployment",
        "monitoring/web",
    )
}
"""What people ask for by command or look at: no job takes its date from there."""


def name(path: Path) -> str:
    return path.relative_to(SQL).as_posix()


def code(path: Path) -> str:
    """A statement without its comments."""
    without_jinja_comments = re.sub(r"\{#.*?#\}", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    return re.sub(r"--.*", "", without_jinja_comments)


def included() -> set[str]:
    return {included for path in STATEMENTS for included in INCLUDE.findall(path.read_text(encoding="utf-8"))}


def is_fragment(path: Path) -> bool:
    return path.read_text(encoding="utf-8").startswith("{#")


def test_searches_cover_all_sql() -> None:
    assert len(STATEMENTS) > 30
    assert len(included()) > 3


@pytest.mark.parametrize("path", [*STATEMENTS, *DEFINITIONS], ids=name)
def test_statement_opens_with_its_name_and_a_sentence(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    if is_fragment(path):
        assert re.match(r"\{#- [A-Z].+?\. -#\}\n", text, flags=re.DOTALL), "a fragment says what it gives"
        return
    comment = re.match(r"(?:--.*\n)+", text)
    assert comment, "must open with a comment"
    opening = " ".join(line.removeprefix("--").strip() for line in comment[0].splitlines())
    assert re.fullmatch(rf"{re.escape(name(path).removesuffix('.sql'))}: \w.+\.", opening), opening


@pytest.mark.parametrize("path", [path for path in STATEMENTS if is_fragment(path)], ids=name)
def test_fragment_is_included_somewhere(path: Path) -> None:
    assert name(path) in included()


@pytest.mark.parametrize("path", DEFINITIONS, ids=name)
def test_definition_can_be_repeated(path: Path) -> None:
    created = re.findall(r"^ *CREATE (\w+)", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert set(created) == {"OR"}, "CREATE OR REPLACE"


@pytest.mark.parametrize("path", [path for path in DEFINITIONS if path.parts[-3] == "triggers"], ids=name)
def test_triggers_are_in_a_file_named_after_their_table(path: Path) -> None:
    assert set(re.findall(r" ON (\w+)", path.read_text(encoding="utf-8"))) == {path.stem}


@pytest.mark.parametrize("path", STATEMENTS, ids=name)
def test_jinja_is_for_structure_only(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for included_name in INCLUDE.findall(text):
        assert (SQL / included_name).is_file()
    rest = INCLUDE.sub("", re.sub(r"\{#.*?#\}", "", text, flags=re.DOTALL))
    assert not re.search(r"\{[{%#]|[}%#]\}", rest), "values are bound, never written into a statement"


@pytest.mark.parametrize("path", STATEMENTS, ids=name)
def test_values_are_bound_by_name(path: Path) -> None:
    # What is left of a % must be a parameter by name, or a doubled literal.
    rest = re.sub(r"%\([a-z_]+\)s|%%|\{%|%\}", "", code(path))
    assert "%" not in rest


@pytest.mark.parametrize("path", STATEMENTS, ids=name)
def test_no_statement_takes_its_date_from_a_clock(path: Path) -> None:
    assert not TODAY.search(code(path)), "bind %(as_of)s"
    if not RECORDS_THE_MOMENT.fullmatch(name(path)):
        assert not CLOCK.search(code(path)), "bind %(as_of)s"


@pytest.mark.parametrize("path", sorted(PLUGINS.rglob("*.py")), ids=lambda path: path.relative_to(PLUGINS).as_posix())
def test_no_job_takes_its_date_from_a_clock(path: Path) -> None:
    if path.relative_to(PLUGINS).as_posix() in LOOKS_ON:
        return
    assert not PYTHON_CLOCK.search(path.read_text(encoding="utf-8")), "take the run's date"


@pytest.mark.parametrize(
    ("sql", "pattern"),
    [
        ("due < now()", CLOCK),
        ("due < NOW ()", CLOCK),
        ("due < clock_timestamp()", CLOCK),
        ("due < 'now'::date", CLOCK),
        ("due < Current_Date", TODAY),
        ("due < CURRENT_TIMESTAMP(0)", TODAY),
        ("due < localtimestamp", TODAY),
        ("due < 'today'", TODAY),
        ("datetime.now(UTC)", PYTHON_CLOCK),
        ("date.today()", PYTHON_CLOCK),
        ("time.time()", PYTHON_CLOCK),
    ],
)
def test_searches_find_violations(sql: str, pattern: re.Pattern[str]) -> None:
    assert pattern.search(sql)
