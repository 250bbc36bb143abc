"""Versioned schema migrations."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from alembic import command, op
from alembic.config import Config
from alembic.script import ScriptDirectory
from psycopg.rows import dict_row
from sqlalchemy import create_engine, inspect, make_url, text

from hoa_ops.database import Cursor, statement
from hoa_ops.errors import NotReadyError
from hoa_ops.schema.expected import create_missing, run_in_schemas
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
        config = _config()
        config.attributes["connection"] = connection
        config.attributes["operations_schema"] = settings.operations_schema
        if adopt:
            create_missing(_cursor(connection))
            if not _has_version(connection):
                command.stamp(config, ASSOCIATIONS_REVISION)
        command.upgrade(config, "head")
        connection.commit()
    engine.dispose()


def check_version(cursor: Cursor) -> str:
    """Return the version of the tables.

    Newer ones are accepted, so that an earlier version of the package can be gone back to.

    :raises NotReadyError: when they are older than this package needs, or were never made.
    """
    scripts = ScriptDirectory.from_config(_config())
    wanted = scripts.get_current_head()
    older = {script.revision for script in scripts.walk_revisions()} - {wanted} | {"none"}
    [server] = cursor.rows(statement("schema/deployment/server.sql"))
    installed = cursor.row(statement("schema/deployment/version.sql")) if server["has_tables"] else None
    found: str = installed["version"] if installed else "none"
    if found in older:
        raise NotReadyError(
            f"the tables are of version {found}, and this package needs {wanted}: "
            f"run `python -m hoa_ops migrate`, then `python -m hoa_ops grant`"
        )
    return found


def run_script(version_file: str | Path, *, schemas: Sequence[str]) -> None:
    """Run the ``.sql`` file beside an Alembic version, with the named schemas as its search path.

    :param version_file: the version's ``__file__``, or the script itself where a version has one for each schema.
    :param schemas: names of settings that hold schema names; objects are created in the first.
    """
    settings = get_settings()
    script = Path(version_file).with_suffix(".sql")
    run_in_schemas(_cursor(op.get_bind()), script, [getattr(settings, name) for name in schemas])


def _config() -> Config:
    config = Config()
    # configparser reads % as the start of an interpolation.
    config.set_main_option("script_location", str(get_settings().sql_dir / "schema" / "migrations").replace("%", "%%"))
    return config


def _cursor(connection: Connection) -> Cursor:
    driver_connection = connection.connection.driver_connection
    return Cursor(driver_connection.cursor(row_factory=dict_row))  # type: ignore[union-attr]


def _has_version(connection: Connection) -> bool:
    return inspect(connection).has_table("alembic_version", schema=get_settings().operations_schema)
