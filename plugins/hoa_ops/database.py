"""The associations' database: transactions with the right search path, and errors that leak nothing."""

from __future__ import annotations

import json
from contextlib import contextmanager
from datetime import timedelta
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Self

import psycopg
from jinja2 import Environment, FileSystemLoader, select_autoescape
from psycopg.rows import DictRow, dict_row
from psycopg.types.json import Jsonb

from hoa_ops.connections import postgres
from hoa_ops.errors import HoaOpsError, PostingError
from hoa_ops.settings import get_settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import TracebackType

PEOPLE_ERROR_CLASS = "HO"
"""SQLSTATE class of the errors that the package's own functions raise for people to read."""

QUOTING_ERROR_CLASSES = ("22", "P0")
"""SQLSTATE classes whose very message may quote a row: values that do not fit, what other people's triggers raise."""


class DatabaseError(HoaOpsError):
    """A query failed. Says what PostgreSQL said, without the rows' contents, which it puts into the detail."""


class LockedError(DatabaseError):
    """Somebody else held rows locked for longer than the setting ``lock_timeout_seconds``."""


class ConnectionLostError(HoaOpsError):
    """The database cannot be reached, or went away; nothing of the open transaction was kept."""


Row = dict[str, Any]
"""A row of a query: its columns by name."""

as_json = partial(Jsonb, dumps=partial(json.dumps, default=str))
"""Bind a value as jsonb; amounts, dates and ids become text, so that no cent goes through a float."""


@cache
def query(path: str) -> str:
    """Return the SQL in ``include/sql/<path>``, with the fragments that it includes."""
    environment = Environment(
        loader=FileSystemLoader(get_settings().sql_dir), autoescape=select_autoescape(default=False)
    )
    return environment.get_template(path).render()


class Cursor:
    """A cursor that binds named parameters and returns rows as dicts."""

    def __init__(self, cursor: psycopg.Cursor[DictRow]) -> None:
        self._cursor = cursor

    def rows(self, sql: str, parameters: Mapping[str, Any] | None = None) -> list[DictRow]:
        """Run a query and return its rows."""
        return self._cursor.execute(sql.encode(), parameters).fetchall()

    def row(self, sql: str, parameters: Mapping[str, Any] | None = None) -> DictRow | None:
        """Run a query and return its first row, if it has one."""
        return self._cursor.execute(sql.encode(), parameters).fetchone()

    def run(self, sql: str, parameters: Mapping[str, Any] | None = None) -> int:
        """Run a query and return how many rows it changed."""
        return self._cursor.execute(sql.encode(), parameters).rowcount

    def run_many(self, sql: str, parameters: list[dict[str, Any]]) -> int:
        """Run a query once per set of parameters and return how many rows were changed in all."""
        self._cursor.executemany(sql.encode(), parameters)
        return self._cursor.rowcount


class Database:
    """One connection to the associations' database, for the life of a ``with`` block.

    :param conn_id: id of the Airflow Connection.
    """

    def __init__(self, conn_id: str) -> None:
        self._conn_id = conn_id
        self._connection: psycopg.Connection[DictRow] | None = None

    def __enter__(self) -> Self:
        with _people_errors(f"the Connection {self._conn_id!r}" if self._conn_id else "its URL"):
            self._connection = self._connect()
        self._connection.autocommit = True
        self._connection.row_factory = dict_row
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._connection is not None:
            self._connection.close()

    def _connect(self) -> psycopg.Connection[DictRow]:
        return postgres(self._conn_id)

    @contextmanager
    def transaction(self, *, read_only: bool = False, patience: timedelta | None = None) -> Iterator[Cursor]:
        """Open a transaction that commits at the end of the block and rolls back on any error.

        :param read_only: let PostgreSQL refuse every write, and see all of it as of one moment, so that two queries
            agree with each other while jobs and people post.
        :param patience: give up a query that takes longer.
        :raises PostingError: with the reason, when one of the package's own rules refused.
        :raises DatabaseError: when a query failed otherwise.
        :raises ConnectionLostError: when the database went away.
        """
        if self._connection is None:
            raise RuntimeError("use Database in a with block")
        with _people_errors(), self._connection.transaction(), self._connection.cursor() as cursor:
            if read_only:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            settings = get_settings()
            cursor.execute(_SESSION, [settings.search_path, f"{settings.lock_timeout_seconds}s", settings.timezone])
            if patience is not None:
                milliseconds = str(int(patience / timedelta(milliseconds=1)))
                cursor.execute("SELECT set_config('statement_timeout', %s, true)", [milliseconds])
            yield Cursor(cursor)


class SchemaOwnerDatabase(Database):
    """The associations' database as the schema owner, for what the worker role may not do.

    :param dsn: URL of the database.
    """

    def __init__(self, dsn: str) -> None:
        super().__init__("")
        self._dsn = dsn

    def _connect(self) -> psycopg.Connection[DictRow]:
        return psycopg.connect(self._dsn, row_factory=dict_row)


# A plan kept from when a table was small is ruinous after a bulk post, and one association is not like the next; so
# every query is planned for its own parameters. Compiling them costs more than it gains.
_SESSION = """
    SELECT set_config('search_path', %s, true),
           set_config('plan_cache_mode', 'force_custom_plan', true),
           set_config('jit', 'off', true),
           set_config('lock_timeout', %s, true),
           set_config('TimeZone', %s, true),
           set_config('DateStyle', 'ISO, MDY', true),
           set_config('IntervalStyle', 'postgres', true)
"""


@contextmanager
def _people_errors(access: str = "the Connection") -> Iterator[None]:
    try:
        yield
    except psycopg.Error as error:
        # What psycopg itself refuses, such as a NUL in a text, has no words of the server's.
        said = error.diag.message_primary or type(error).__name__
        state = error.sqlstate or ""
        if state.startswith(PEOPLE_ERROR_CLASS):
            raise PostingError(said) from None
        if isinstance(error, psycopg.OperationalError) and (not state or state[:2] in {"08", "57"}):
            raise ConnectionLostError(
                f"the associations' database cannot be reached or went away ({str(error).splitlines()[0]}): "
                f"check the server and {access}; the task can simply be run again"
            ) from None
        if isinstance(error, psycopg.errors.LockNotAvailable):
            raise LockedError(
                f"another session held rows locked for longer than {get_settings().lock_timeout_seconds} seconds "
                f"(setting lock_timeout_seconds): find the open transaction in pg_stat_activity and end it"
            ) from None
        if state.startswith(QUOTING_ERROR_CLASSES):
            said = f"{type(error).__name__}; the database's own log has the details, which may quote personal data"
        place = ", ".join(filter(None, [state, error.diag.constraint_name or error.diag.table_name]))
        raise DatabaseError(f"{said} [{place}]" if place else said) from None
