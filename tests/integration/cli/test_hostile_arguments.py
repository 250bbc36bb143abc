"""What nobody should type is refused in a sentence by every command, before anything is touched."""

import re
from datetime import date
from uuid import uuid4

import pytest

from hoa_ops.cli.main import COMMANDS, main
from tests.support.database import OWNER, PASSWORD, WORKER

HOSTILE = [
    "", "x\ny", "\r\nBcc: thief@example.com", "'; DROP TABLE runs; --", "x" * 5000, "é" * 70, "../../etc/passwd",
    "-1", "%s %(x)s", "{{ 7*7 }}", "\uff10\uff11", "\x1b[31m", "\u202egnp.exe", "9999-12-31", "postgresql:/",
]  # fmt: skip
SIGNED = ["--who", "Pat Lee", "--why", "test"]
X = None
"""Where the hostile text goes."""
COMMAND_LINES = [
    ["aging", "--tenant", X],
    ["aging", "--tenant", "maple-court", "--as-of", X],
    ["check-books", "--tenant", X],
    ["check-books", "--as-of", X],
    ["check-deployment", "--send-mail-to", X],
    ["check-tables", "--role", X],
    ["check-tables", "--role", WORKER, "--dsn", X],
    ["compare", X, "/dev/null"],
    ["compare", "/dev/null", X],
    ["create-roles", "--admin-dsn", X],
    ["export-journal", "--tenant", X],
    ["go-live", "--job", X, *SIGNED],
    ["grant", "--role", X],
    ["grant", "--role", WORKER, "--dsn", X],
    ["health", X],
    ["migrate", "--dsn", X],
    ["outbox", "list", "--limit", X],
    ["outbox", "list", "--state", X],
    ["outbox", "list", "--tenant", X],
    ["outbox", "show", X],
    ["outbox", "cancel", X, *SIGNED],
    ["plan", X, "--as-of", "2025-11-01"],
    ["plan", "send_reminders", "--as-of", X],
    ["plan", "send_reminders", "--as-of", "2025-11-01", "--tenant", X],
    ["plan", "generate_invoices", "--as-of", "2025-11-01", "--billing-month", X],
    ["plan", "check_budget_variances", "--as-of", "2025-11-01", "--budget-id", X],
    ["prune", X],
    ["rehearse", "--job", X, *SIGNED],
    ["reverse", "--invoice", X, "INV-00001", "--on", "2025-11-01", *SIGNED],
    ["reverse", "--invoice", "maple-court", X, "--on", "2025-11-01", *SIGNED],
    ["reverse", "--invoice", "maple-court", "INV-00001", "--on", X, *SIGNED],
    ["reverse", "--run", X, "--job", "assess_late_fees", "--on", "2025-11-01", *SIGNED],
    ["settings", X],
    ["statement", "--tenant", "maple-court", "--unit", X],
    ["statement", "--tenant", "maple-court", "--owner", X],
    [X],
]


@pytest.fixture
def maple_with_a_unit(maple, unit):
    return maple


@pytest.fixture
def refusal(database, maple_with_a_unit, monkeypatch, capsys):
    """Runs a command that must be refused; gives what it said."""
    monkeypatch.setenv("HOA_OPS_OWNER_DSN", database.owner_dsn)
    tables = [
        f"{row['schemaname']}.{row['tablename']}"
        for row in database.rows("SELECT schemaname, tablename FROM pg_tables WHERE schemaname IN ('hoa', 'hoa_ops')")
    ]
    everything = " UNION ALL ".join(f"SELECT '{table}', count(*) FROM {table}" for table in tables)

    def run(*arguments):
        before = database.rows(everything)
        capsys.readouterr()
        try:
            status = main(arguments)
        except SystemExit as ended:
            status = ended.code
        said = capsys.readouterr()
        assert status in {1, 2}, said.out
        assert database.rows(everything) == before
        return said.err or said.out

    return run


@pytest.mark.parametrize("command_line", COMMAND_LINES, ids=lambda line: " ".join(map(str, line))[:50])
def test_argument_that_means_nothing_is_refused_in_a_sentence(refusal, command_line):
    for hostile in HOSTILE:
        said = refusal(*(hostile if argument is X else argument for argument in command_line))
        assert "Traceback" not in said
        lines = [line for line in said.splitlines() if not line.startswith(("See: ", "✓", "✗"))]
        assert len(lines) <= 1, said
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", said), "what was typed is quoted without control characters"
        assert len(said) < 8000


def test_every_command_is_among_them():
    assert {line[0] for line in COMMAND_LINES} - {X} == set(COMMANDS) - {""}


@pytest.mark.parametrize("text", ["x\ny", "\x1b[2J", "x" * 1001, "\u202e"])
@pytest.mark.parametrize("name", ["--who", "--why"])
def test_signature_is_one_line(refusal, name, text):
    signature = {"--who": "Pat Lee", "--why": "test"} | {name: text}
    said = refusal("go-live", "--all-jobs", *(part for pair in signature.items() for part in pair))
    assert said.startswith(f"{name}: ")


def test_names_that_postgresql_would_cut_off_or_refuse_are_refused(postgres, refusal):
    for name in ("--database", "--schema-owner", "--worker"):
        assert "is too long for PostgreSQL" in refusal("create-roles", "--admin-dsn", postgres.dsn(), name, "x" * 64)


def test_role_name_that_is_reserved_is_refused_in_the_server_s_words(postgres, refusal, monkeypatch):
    monkeypatch.setenv("HOA_OPS_OWNER_PASSWORD", PASSWORD)
    said = refusal("create-roles", "--admin-dsn", postgres.dsn(), "--schema-owner", "pg_mine")
    assert said == 'the server refused: role name "pg_mine" is reserved\n'


CONNECTIONS = [
    "", "garbage", "{", "{}", '{"conn_type": "postgres"', "http://u:canary@127.0.0.1:1/x", "mysql://u:canary@127.0.0.1:1/x",
    "postgresql://u:canary@127.0.0.1:99999999/x", "postgresql://u:canary@127.0.0.1:1/x", "postgresql://u:canary@[::1/x",
    '{"conn_type": "postgres", "host": "127.0.0.1", "port": 1, "password": "canary", "extra": {"no_such_option": 1}}',
    '{"conn_type": "postgres", "host": "127.0.0.1", "port": 1, "password": "canary", "extra": "no object"}',
]  # fmt: skip


@pytest.mark.parametrize("connection", CONNECTIONS)
def test_connection_that_leads_nowhere_is_refused_in_a_sentence_without_its_password(refusal, monkeypatch, connection):
    monkeypatch.setenv("AIRFLOW_CONN_HOA_OPS_DB", connection)
    said = refusal("health")
    assert said.count("\n") == 1
    assert "hoa_ops_db" in said
    assert "canary" not in said


@pytest.mark.parametrize("connection", [text.replace("postgres", "smtp") for text in CONNECTIONS])
def test_mail_connection_that_leads_nowhere_is_named(refusal, monkeypatch, connection):
    monkeypatch.setenv("AIRFLOW_CONN_HOA_OPS_SMTP", connection)
    said = refusal("check-deployment")
    [line] = [line for line in said.splitlines() if "mail:" in line]
    assert "'hoa_ops_smtp'" in line
    assert "canary" not in said


@pytest.mark.parametrize(
    "dsn",
    ["garbage", f"postgres:canary@127.0.0.1/{OWNER}", "postgresql://u:canary@[h/x", "mysql://u:canary@h/x", "="],
)
@pytest.mark.parametrize("name", ["HOA_OPS_OWNER_DSN", "HOA_OPS_ADMIN_DSN"])
def test_url_of_a_database_that_cannot_be_read_is_refused_and_not_repeated(refusal, monkeypatch, name, dsn):
    monkeypatch.setenv(name, dsn)
    said = refusal("migrate" if "OWNER" in name else "create-roles")
    assert said.startswith("the URL of the database cannot be read; this command connects as")
    assert f"set {name}" in said
    assert "canary" not in said


def test_id_that_does_not_exist_is_named(refusal, maple):
    missing = str(uuid4())
    assert missing in refusal("outbox", "show", missing)
    assert missing in refusal("outbox", "cancel", missing, *SIGNED)
    assert missing in refusal("statement", "--tenant", maple.code, "--owner", missing)
    assert missing in refusal(
        "plan", "check_budget_variances", "--as-of", str(date(2025, 11, 1)), "--budget-id", missing
    )
