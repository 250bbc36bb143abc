"""Versioned schema migrations, and the rights of the role that runs the jobs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from alembic import command, op
from alembic.config import Config
from psycopg.rows import dict_row
from sqlalchemy import create_engine, inspect, make_url, text

from hoa_ops.contract import create_missing, grant_to_worker, run_in_schemas
from hoa_ops.database import Cursor, OwnersDatabase
from hoa_ops.settings import get_settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

ASSOCIATIONS_REVISION = "0001"


def migrate(dsn: str, *, adopt: bool = False) -> None:
    """Bring a database to the newest version; on one that is there already, do nothing.

    :param dsn: URL of the database, as the role that is to own the tables.
    :param adopt: some of the associations' relations are there already, as views on an application's tables or as
        tables: create those that are missing, and keep them. May be asked for again, after a view was taken away.
    """
    settings = get_settings()
    engine = create_engine(make_url(dsn).set(drivername="postgresql+psycopg"))
    with engine.connect() as connection:
        for schema in (settings.associations_schema, settings.operations_schema):
            connection.execute(text(f'CREATE SCHEMA IF NOT EXISTS "{schema}"'))
        connection.commit()
        config = Config()
        # configparser reads % as the start of an interpolation.
        config.set_main_option("script_location", str(settings.sql_dir / "migrations").replace("%", "%%"))
        config.attributes["connection"] = connection
        config.attributes["operations_schema"] = settings.operations_schema
        if adopt:
            create_missing(_cursor(connection))
            if not _has_version(connection):
                command.stamp(config, ASSOCIATIONS_REVISION)
        command.upgrade(config, "head")
        connection.commit()
    engine.dispose()


def run_script(version_file: str, *, schemas: Sequence[str]) -> None:
    """Run the ``.sql`` file beside an Alembic version, with the named schemas as its search path.

    :param version_file: the version's ``__file__``.
    :param schemas: names of settings that hold schema names; objects are created in the first.
    """
    settings = get_settings()
    script = Path(version_file).with_suffix(".sql")
    run_in_schemas(_cursor(op.get_bind()), script, [getattr(settings, name) for name in schemas])


def grant_worker(dsn: str, role: str) -> None:
    """Give an existing role the rights that the jobs need, and take all others away.

    :param dsn: URL of the database, as the role that owns the tables.
    :param role: the role of the Airflow Connection; it must own nothing.
    """
    settings = get_settings()
    with OwnersDatabase(dsn) as database, database.transaction() as cursor:
        grant_to_worker(cursor, role, associations=settings.associations_schema, operations=settings.operations_schema)


def _cursor(connection: Connection) -> Cursor:
    driver_connection = connection.connection.driver_connection
    return Cursor(driver_connection.cursor(row_factory=dict_row))  # type: ignore[union-attr]


def _has_version(connection: Connection) -> bool:
    return inspect(connection).has_table("alembic_version", schema=get_settings().operations_schema)
