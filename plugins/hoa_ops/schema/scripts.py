"""The SQL that makes the two schemas, and how it is run.

*Versions* (``include/sql/schema/migrations/versions``) make and change tables, each once per database: version
``0004`` is ``0004_<what>.py`` for Alembic, with ``0004_<what>_associations.sql`` or ``0004_<what>_operations.sql`` or
both, by the schema that they change. A table of the associations may be an application's view: look before altering.

*Definitions* (``functions``, ``triggers`` and ``views`` beside it, by schema) have no state. They say ``CREATE OR
REPLACE`` and are run after the versions by every ``migrate``, so that the files always say what is in the database. To
change one, change its file, and add a version even if it has nothing to do, so that the jobs refuse to run before
``migrate`` did. What ``CREATE OR REPLACE`` cannot do (drop a function, change the columns of a view) the version does
beforehand, with ``IF EXISTS``.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal

from psycopg import sql

from hoa_ops.database import query
from hoa_ops.settings import get_settings

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from hoa_ops.database import Cursor

SchemaKind = Literal["associations", "operations"]
KINDS: tuple[SchemaKind, ...] = ("associations", "operations")


@dataclass(frozen=True)
class Schemas:
    """The names of the two schemas: those of the deployment, or others that are made for a comparison."""

    associations: str
    operations: str

    @classmethod
    def of_deployment(cls) -> Schemas:
        """Return those of the settings."""
        settings = get_settings()
        return cls(settings.associations_schema, settings.operations_schema)

    def search_path(self, kind: SchemaKind) -> tuple[str, ...]:
        """Return where a script finds its names; it creates in the first."""
        return (self.associations,) if kind == "associations" else (self.operations, self.associations)


def versions() -> list[str]:
    """Return the versions of the tables, the oldest first."""
    return sorted(path.name.partition("_")[0] for path in _folder("migrations", "versions").glob("[0-9]*.py"))


def version_scripts(version: str, kind: SchemaKind) -> list[Path]:
    """Return the scripts by which a version changes a schema: one or none."""
    return list(_folder("migrations", "versions").glob(f"{version}_*{kind}.sql"))


def run_version(cursor: Cursor, version: str, schemas: Schemas) -> None:
    """Run the scripts of one version."""
    for kind in KINDS:
        for script in version_scripts(version, kind):
            run_script(cursor, script, schemas.search_path(kind))


def define_functions(cursor: Cursor, schemas: Schemas, *, before_tables: bool = False) -> None:
    """Create or replace the functions, which only their owner and the worker may execute.

    Call it in a transaction of its own.

    :param before_tables: the tables are not there yet, and their defaults call some of these functions.
    """
    cursor.run(f"SET LOCAL check_function_bodies = {'off' if before_tables else 'on'}")
    for kind in KINDS:
        for script in _definitions("functions", kind):
            run_script(cursor, script, schemas.search_path(kind))
    for row in cursor.rows(query("schema/close_functions.sql"), asdict(schemas)):
        cursor.run(row["command"])


def define_triggers_and_views(cursor: Cursor, schemas: Schemas) -> None:
    """Create or replace the triggers and the views; an application's view in place of a table gets no triggers."""
    for kind in KINDS:
        tables = {
            row["table_name"] for row in cursor.rows(query("schema/tables.sql"), {"schema": getattr(schemas, kind)})
        }
        for script in _definitions("triggers", kind):
            if script.stem in tables:
                run_script(cursor, script, schemas.search_path(kind))
        for script in _definitions("views", kind):
            run_script(cursor, script, schemas.search_path(kind))


def run_script(cursor: Cursor, script: Path, search_path: Iterable[str]) -> None:
    """Run a script in schemas; it creates in the first."""
    path = sql.SQL(", ").join(map(sql.Identifier, search_path))
    cursor.run(sql.SQL("SET LOCAL search_path = {}, pg_temp").format(path).as_string())
    cursor.run(script.read_text(encoding="utf-8"))
    cursor.run("SET LOCAL search_path = DEFAULT")


def _definitions(what: str, kind: SchemaKind) -> list[Path]:
    return sorted(_folder(what, kind).glob("*.sql"))


def _folder(*parts: str) -> Path:
    return get_settings().sql_dir.joinpath("schema", *parts)
