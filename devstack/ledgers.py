"""What the associations' database holds: its state as a whole, for comparison, and its trial balance."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

import psycopg
from psycopg.rows import class_row

from devstack.stack import SCHEMA

OPERATIONS_SCHEMA = "hoa_ops"
"""Where the package keeps its own tables: run ledger, outbox, counters."""

TABLES = """
    SELECT table_schema, table_name
      FROM information_schema.tables
     WHERE table_schema = ANY (%s) AND table_type = 'BASE TABLE'
     ORDER BY table_schema, table_name
"""

FINGERPRINT = """
    SELECT count(*), coalesce(sum(hashtextextended(stored::text, 0)), 0)
      FROM {} AS stored
"""

TRIAL_BALANCE = """
    SELECT tenants.name AS association,
           accounts.number AS account,
           accounts.name AS account_name,
           sum(journal_entry_lines.debit) AS debit,
           sum(journal_entry_lines.credit) AS credit
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
    """What was debited and credited to one account of one association."""

    association: str
    account: str
    account_name: str
    debit: Decimal
    credit: Decimal


class Ledgers:
    """Read-only eyes on the associations' database."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn

    def state(self) -> dict[str, TableState]:
        """The state of every table, seen at one moment."""
        with self._connect() as connection:
            return dict(self._states(connection))

    def trial_balance(self) -> list[Balance]:
        """Debits and credits of every account that was ever posted to."""
        with self._connect() as connection, connection.cursor(row_factory=class_row(Balance)) as cursor:
            return cursor.execute(TRIAL_BALANCE).fetchall()

    def _connect(self) -> psycopg.Connection:
        connection = psycopg.connect(self._dsn, options=f"-c search_path={SCHEMA}")
        connection.read_only = True
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        return connection

    @staticmethod
    def _states(connection: psycopg.Connection) -> Iterator[tuple[str, TableState]]:
        for schema, table in connection.execute(TABLES, [[SCHEMA, OPERATIONS_SCHEMA]]).fetchall():
            query = psycopg.sql.SQL(FINGERPRINT).format(psycopg.sql.Identifier(schema, table))
            rows, fingerprint = connection.execute(query).fetchone() or (0, Decimal(0))
            yield table, TableState(rows, fingerprint)
