"""Brings a database to the newest version of the tables, with Alembic, and defines functions, triggers and views."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

import psycopg
from alembic import command, op
from alembic.config import Config
from psycopg import sql
from psycopg.rows import dict_row
from sqlalchemy import NullPool, create_engine
from sqlalchemy.exc import DBAPIError

from hoa_ops.database import Cursor
from hoa_ops.errors import HoaOpsError
from hoa_ops.schema import scripts
from hoa_ops.schema.expected import create_missing_tables
from hoa_ops.schema.scripts import Schemas, define_functions, define_triggers_and_views
from hoa_ops.schema.version import installed_version
from hoa_ops.settings import get_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Connection

ASSOCIATIONS_VERSION = "0001"
"""The version whose tables an adopted database has instead of running it."""


def migrate(dsn: str, *, adopt: bool = False) -> None:
    """Bring a database to the newest version; repeating it changes nothing.

    :param dsn: URL of the database, as the schema owner.
    :param adopt: some of the associations' relations are there already, as views on an application's tables or as
        tables: create those that are missing, and keep them. May be asked for again, after a view was dropped.
    :raises HoaOpsError: when the database cannot be reached, or refuses; the step that failed leaves nothing behind.
    """
    schemas = Schemas.of_deployment()
    with _connect(dsn) as connection:
        driver = _driver(connection)
        cursor = _cursor(connection)
        # Whoever migrates at the same time waits until this connection is closed.
        cursor.run("SELECT pg_advisory_lock(hashtext('hoa_ops migrate'))")
        driver.commit()
        with driver.transaction():
            for schema in (schemas.associations, schemas.operations):
                cursor.run(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(schema)).as_string())
            cursor.run("SELECT set_config('search_path', %(schema)s, true)", {"schema": schemas.operations})
            version = installed_version(cursor)
        if version is None:
            with driver.transaction():
                define_functions(cursor, schemas, before_tables=True)
        if adopt:
            with driver.transaction():
                create_missing_tables(cursor, version=version or ASSOCIATIONS_VERSION)
            if version is None:
                _alembic(connection, command.stamp, ASSOCIATIONS_VERSION)
        _alembic(connection, command.upgrade, "head")
        with driver.transaction():
            define_functions(cursor, schemas)
            define_triggers_and_views(cursor, schemas)


def run_version(version: str) -> None:
    """Run the scripts of a version; Alembic's versions call it."""
    scripts.run_version(_cursor(op.get_bind()), version, Schemas.of_deployment())


@contextmanager
def _connect(dsn: str) -> Iterator[Connection]:
    try:
        engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(dsn), poolclass=NullPool)
        with engine.connect() as connection:
            yield connection
    except (DBAPIError, psycopg.Error) as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        said = str(cause).splitlines()[0]
        if isinstance(cause, psycopg.Error) and cause.sqlstate:
            raise HoaOpsError(f"the migration stopped, and left nothing of the step that failed: {said}") from None
        raise HoaOpsError(f"cannot connect to the database as the schema owner: {said}") from None


def _alembic(connection: Connection, do: Callable[[Config, str], None], version: str) -> None:
    do(_config(connection), version)
    # Alembic leaves a transaction open in which it found nothing to do.
    connection.commit()
    _driver(connection).commit()


def _config(connection: Connection) -> Config:
    config = Config()
    # configparser reads % as the start of an interpolation.
    config.set_main_option("script_location", str(get_settings().sql_dir / "schema" / "migrations").replace("%", "%%"))
    config.attributes |= {"connection": connection, "operations_schema": get_settings().operations_schema}
    return config


def _driver(connection: Connection) -> psycopg.Connection[Any]:
    return cast("psycopg.Connection[Any]", connection.connection.driver_connection)


def _cursor(connection: Connection) -> Cursor:
    return Cursor(_driver(connection).cursor(row_factory=dict_row))
