"""The command line itself: quick, and with sentences for whoever mistypes."""

import os
import re
import subprocess
import sys
from argparse import ArgumentTypeError
from datetime import date
from importlib import import_module
from pathlib import Path

import pytest

from hoa_ops.cli.arguments import day
from hoa_ops.cli.main import COMMANDS, main

PLUGINS = Path(__file__).resolve().parents[3] / "plugins"
HEAVY = ("airflow", "alembic", "psycopg", "pydantic", "sqlalchemy")


@pytest.fixture
def complaint(capsys):
    """Runs a command line that is refused before it does anything; gives what it said."""

    def run(*arguments):
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        assert ended.value.code == 2
        return capsys.readouterr().err

    return run


def run_alone(*arguments):
    """Run a command in a Python of its own that reports every module it imports."""
    return subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "hoa_ops", *arguments],
        env={**os.environ, "PYTHONPATH": str(PLUGINS)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("arguments", [["--help"], ["no-such-command"], []], ids=str)
def test_nothing_heavy_is_imported_to_say_which_commands_there_are(arguments):
    done = run_alone(*arguments)
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines() if "|" in line}
    assert "argparse" in imported
    assert imported.isdisjoint(HEAVY)
    assert "python -m hoa_ops" in done.stdout + done.stderr


def test_help_lists_every_command_with_what_it_does(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    printed = " ".join(capsys.readouterr().out.split())
    for name, purpose in COMMANDS.items():
        assert f"{name} {purpose}" in printed


def test_every_module_of_a_command_is_in_the_list():
    modules = {path.stem for path in (PLUGINS / "hoa_ops/cli").glob("*.py")}
    assert modules - {"__init__", "main", "arguments", "console"} == {name.replace("-", "_") for name in COMMANDS}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name, capsys):
    with pytest.raises(SystemExit) as ended:
        main([name, "--help"])
    assert ended.value.code == 0
    assert re.search(rf"usage: python -m hoa_ops {name} .*\n\n[A-Z].+\.\n", capsys.readouterr().out, flags=re.DOTALL)


def test_only_the_command_line_knows_argparse():
    users = {
        path.relative_to(PLUGINS).as_posix()
        for path in PLUGINS.rglob("*.py")
        if re.search(r"^\s*(import|from) argparse\b", path.read_text(), flags=re.MULTILINE)
    }
    assert users
    assert {user for user in users if not user.startswith("hoa_ops/cli/")} == set()


@pytest.mark.parametrize("name", ["migrate", "grant", "check-tables", "reverse"])
def test_command_of_the_schema_owner_names_the_variable(name, monkeypatch, capsys):
    monkeypatch.delenv("HOA_OPS_OWNER_DSN", raising=False)
    needed = {
        "grant": ["--role", "x"],
        "check-tables": ["--role", "x"],
        "reverse": ["--invoice", "maple-court", "INV-1", "--on", "2025-11-01", "--who", "Pat", "--why", "test"],
    }
    assert main([name, *needed.get(name, [])]) == 1
    assert "set HOA_OPS_OWNER_DSN, or give --dsn" in capsys.readouterr().err


def test_command_of_the_administrator_names_the_variable(monkeypatch, capsys):
    monkeypatch.delenv("HOA_OPS_ADMIN_DSN", raising=False)
    assert main(["create-roles"]) == 1
    assert "set HOA_OPS_ADMIN_DSN, or give --admin-dsn" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "the following arguments are required: COMMAND"),
        (["ageing"], "COMMAND: invalid choice: 'ageing'"),
        (["aging"], "the following arguments are required: --tenant"),
        (["aging", "--tenant", " "], "--tenant: must not be empty"),
        (["aging", "--tenant", "x\0y"], "one of the arguments contains a NUL"),
        (["aging", "--tenant", "x\udce9"], "one of the arguments contains a NUL or a byte that is not UTF-8 text"),
        (["compare", "plan\0.csv", "old.csv"], "one of the arguments contains a NUL"),
        (["statement", "--tenant", "x", "--owner", "7"], "--owner: '7' is not an id: an id looks like 019"),
        (["statement", "--tenant", "x"], "one of the arguments --owner --unit is required"),
        (["outbox", "show", "7"], "ID: '7' is not an id"),
        (["outbox", "list", "--limit", "-1"], "--limit: '-1' is not a number from 1 up"),
        (["check-books", "--as-of", "today"], "--as-of: 'today' is not a day: write the date as YYYY-MM-DD"),
        (["plan", "send_reminders", "--as-of", "2025-02-30"], "--as-of: '2025-02-30' is not a day"),
        (["reverse", "--on", "11/01/2025"], "--on: '11/01/2025' is not a day"),
    ],
    ids=str,
)
def test_mistyped_job_is_named(complaint, arguments, said):
    told = complaint(*arguments)
    assert told.startswith(said)
    assert re.search(r"\nSee: python -m hoa_ops[\w -]* --help\n$", told)


@pytest.mark.parametrize("text", ["2000-01-01", "2025-11-30", "2024-02-29", "2099-12-31"])
def test_day_is_read(text):
    assert day(text) == date.fromisoformat(text)


@pytest.mark.parametrize(
    "text",
    ["", "today", "2025-11-31", "2025-02-29", "20251101", "2025-W44-1", "2025-11-1", " 2025-11-01", "2025-11-01\n",
     "\uff12\uff10\uff12\uff15-11-01", "\u0662\u0660\u0662\u0665-11-01",
     "1999-12-31", "2100-01-01", "0001-01-01", "9999-12-31", "2025-11-01T00:00"],
)  # fmt: skip
def test_invalid_date_is_refused(text):
    with pytest.raises(ArgumentTypeError, match="is not a day: write the date as YYYY-MM-DD, such as 2025-10-29, from"):
        day(text)


def test_every_command_has_the_same_interface():
    for name in COMMANDS:
        module = import_module(f"hoa_ops.cli.{name.replace('-', '_')}")
        assert callable(module.add_arguments)
        assert callable(module.run)
