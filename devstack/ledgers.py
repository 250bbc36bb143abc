"""What the associations' database holds: its state as a whole, for comparison, and its trial balance."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

import psycopg
from psycopg.rows import class_row
from psycopg.sql import SQL, Identifier

from devstack.demo_data import SCHEMA

OPERATIONS_SCHEMA = "hoa_ops"
"""Where the package keeps its own tables: run ledger, outbox, counters."""

TABLES = """
    SELECT tables.table_schema, tables.table_name, columns.column_name IS NOT NULL
      FROM information_schema.tables
      LEFT JOIN information_schema.columns
        ON (columns.table_schema, columns.table_name, columns.column_name)
         = (tables.table_schema, tables.table_name, 'tenant_id')
     WHERE tables.table_schema = ANY (%s) AND table_type = 'BASE TABLE'
     ORDER BY tables.table_schema, tables.table_name
"""

FINGERPRINT = """
    SELECT count(*), coalesce(sum(hashtextextended(stored::text, 0)), 0)
      FROM {} AS stored
"""

OF_ASSOCIATION = " WHERE tenant_id = (SELECT id FROM tenants WHERE code = {})"

TRIAL_BALANCE = """
    SELECT tenants.name AS association,
           accounts.number AS account,
           accounts.name AS account_name,
           greatest(sum(journal_entry_lines.debit - journal_entry_lines.credit), 0) AS debit,
           greatest(sum(journal_entry_lines.credit - journal_entry_lines.debit), 0) AS credit
      FROM journal_entry_lines
      JOIN accounts ON accounts.id = journal_entry_lines.account_id
      JOIN tenants ON tenants.id = journal_entry_lines.tenant_id
     GROUP BY tenants.name, accounts.number, accounts.name
     ORDER BY tenants.name, accounts.number
"""


@dataclass(frozen=True)
class TableState:
    """How many rows a table has, and a number that changes with any of them."""

    rows: int
    fingerprint: Decimal


@dataclass(frozen=True)
class Balance:
    """The balance of one account of one association, which is either a debit or a credit."""

    association: str
    account: str
    account_name: str
    debit: Decimal
    credit: Decimal


def changed_tables(before: Mapping[str, TableState], after: Mapping[str, TableState]) -> set[str]:
    """Return the tables that differ in any row."""
    return {table for table in before.keys() | after.keys() if before.get(table) != after.get(table)}


class Ledgers:
    """Read-only eyes on the associations' database."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn

    def state(self, association: str | None = None) -> dict[str, TableState]:
        """The state of every table, seen at one moment.

        :param association: count only the rows of the one with this code, in tables that say whose a row is.
        """
        with self._connect() as connection:
            return dict(self._states(connection, association))

    def trial_balance(self) -> list[Balance]:
        """The balance of every account that was ever posted to."""
        with self._connect() as connection, connection.cursor(row_factory=class_row(Balance)) as cursor:
            return cursor.execute(TRIAL_BALANCE).fetchall()

    def _connect(self) -> psycopg.Connection:
        connection = psycopg.connect(self._dsn, options=f"-c search_path={SCHEMA}")
        connection.read_only = True
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        return connection

    @staticmethod
    def _states(connection: psycopg.Connection, association: str | None) -> Iterator[tuple[str, TableState]]:
        schemas = [SCHEMA, OPERATIONS_SCHEMA]
        for schema, table, has_tenant in connection.execute(TABLES, [schemas]).fetchall():
            query = SQL(FINGERPRINT).format(Identifier(schema, table))
            if association is not None:
                if not has_tenant:
                    continue
                query += SQL(OF_ASSOCIATION).format(association)
            rows, fingerprint = connection.execute(query).fetchone() or (0, Decimal(0))
            yield table, TableState(rows, fingerprint)
