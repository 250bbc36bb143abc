"""What the worker may do, tried one by one: every table and column with every verb; every function by a stranger."""

import psycopg
import pytest
from psycopg import sql

from tests.proof.conftest import EMPTY
from tests.support.database import OWNER, PASSWORD, WORKER

STRANGER = "a_stranger"
INSERTED = {
    "hoa": {
        "invoice_lines",
        "invoices",
        "journal_entries",
        "journal_entry_lines",
        "payment_applications",
        "payment_reminders",
        "violation_escalations",
    },
    "hoa_ops": {
        "billed_periods",
        "budget_alerts",
        "document_counters",
        "go_live_decisions",
        "outbox",
        "outbox_actions",
        "run_tenants",
        "runs",
    },
}
"""The tables that the worker adds rows to."""
UPDATED = {
    ("violations", "status"),
    *(("outbox_alarms", column) for column in ("messages", "newest", "raised_at")),
    *(("document_counters", column) for column in ("tenant_id", "kind", "last_number")),
    *(
        ("outbox", column)
        for column in (
            *("state", "attempts", "not_before", "last_response"),
            *("claimed_by", "claimed_at", "handed_over_at", "finished_at"),
        )
    ),
    *(
        ("runs", column)
        for column in (
            *("as_of", "run_date", "mode", "options", "narrowed", "status", "finished_at"),
            *("associations", "failed", "counts", "totals"),
        )
    ),
}
"""The columns that the worker changes."""


@pytest.fixture(scope="module")
def owner(server):
    with psycopg.connect(server.dsn(EMPTY, OWNER, PASSWORD), autocommit=True) as connection:
        yield connection


def connected(server, role):
    return psycopg.connect(server.dsn(EMPTY, role, PASSWORD), options="-c search_path=hoa_ops,hoa", autocommit=True)


@pytest.fixture(scope="module")
def relations(owner):
    """Every table and view of both schemas, with its columns."""
    rows = owner.execute(
        """
        SELECT table_schema, table_name, array_agg(column_name::text ORDER BY ordinal_position)
          FROM information_schema.columns WHERE table_schema IN ('hoa', 'hoa_ops') GROUP BY 1, 2 ORDER BY 1, 2
        """
    )
    return rows.fetchall()


def succeeds(connection, query):
    try:
        connection.execute(query)
    except psycopg.Error:
        return False
    return True


def is_refused(connection, query):
    try:
        connection.execute(query)
    except psycopg.errors.InsufficientPrivilege:
        return True
    except psycopg.Error:
        return False  # It was allowed, and failed for another reason.
    return False


def test_worker_changes_exactly_what_the_jobs_change(server, relations, proved):
    allowed, tried = set(), 0
    with connected(server, WORKER) as worker:
        for schema, table, columns in relations:
            name = sql.Identifier(schema, table)
            verbs = {
                "INSERT": sql.SQL("INSERT INTO {} SELECT * FROM {} WHERE false").format(name, name),
                "DELETE": sql.SQL("DELETE FROM {} WHERE false").format(name),
                "TRUNCATE": sql.SQL("TRUNCATE {}").format(name),
                "ALTER": sql.SQL("ALTER TABLE {} DISABLE TRIGGER ALL").format(name),
                "DROP": sql.SQL("DROP TABLE {}").format(name),
            } | {
                f"UPDATE {column}": sql.SQL("UPDATE {} SET {} = {} WHERE false").format(
                    name, sql.Identifier(column), sql.Identifier(column)
                )
                for column in columns
            }
            for verb, query in verbs.items():
                tried += 1
                if succeeds(worker, query):
                    allowed.add((schema, table, verb))
    expected = {(schema, table, "INSERT") for schema, tables in INSERTED.items() for table in tables} | {
        (schema, table, f"UPDATE {column}")
        for schema, name, columns in relations
        for table, column in UPDATED
        if table == name and column in columns
    }
    assert allowed == expected
    proved(
        "every verb on every table and view, and UPDATE of every column, as the worker",
        tried,
        f"{len(allowed)} allowed, each one that a job needs; all others refused",
    )


@pytest.fixture(scope="module")
def stranger(server):
    with psycopg.connect(server.dsn(), autocommit=True) as admin:
        admin.execute(f"CREATE ROLE {STRANGER} LOGIN PASSWORD '{PASSWORD}'")
        admin.execute(f"GRANT CONNECT ON DATABASE {EMPTY} TO {STRANGER}")
    with psycopg.connect(server.dsn(EMPTY), autocommit=True) as admin:
        # Even one who may look into the schemas.
        admin.execute(f"GRANT USAGE ON SCHEMA hoa, hoa_ops TO {STRANGER}")
    with connected(server, STRANGER) as connection:
        yield connection


def test_stranger_calls_no_function_and_reads_no_table(owner, relations, stranger, proved):
    functions = owner.execute(
        """
        SELECT routines.oid::regprocedure::text, routines.prokind,
               format('%I.%I', namespace.nspname, routines.proname),
               array(SELECT format('NULL::%s', format_type(type, NULL)) FROM unnest(routines.proargtypes) AS type)
          FROM pg_proc AS routines JOIN pg_namespace AS namespace ON namespace.oid = routines.pronamespace
         WHERE namespace.nspname IN ('hoa', 'hoa_ops') AND routines.prorettype <> 'trigger'::regtype
        """
    ).fetchall()
    assert len(functions) > 5
    open_to_all = [
        signature
        for signature, _, name, arguments in functions
        if not is_refused(stranger, f"SELECT {name}({', '.join(arguments)})")
    ]
    assert open_to_all == []
    readable = [table for schema, table, _ in relations if not is_refused(stranger, f"SELECT FROM {schema}.{table}")]
    assert readable == []
    proved(
        "every function and every table, as a role without rights",
        len(functions) + len(relations),
        "all refused",
    )
