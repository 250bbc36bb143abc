"""What the package expects of the database, said by its own scripts and read back from PostgreSQL's catalogs.

The scripts run in schemas that exist only until the transaction is rolled back, or until what is missing was taken out
of them. So there is no second list of tables, keys and rights that could differ from the scripts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from psycopg import sql

from hoa_ops.database import statement
from hoa_ops.settings import get_settings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from hoa_ops.database import Cursor

ASSOCIATIONS, OPERATIONS = "hoa_contract_associations", "hoa_contract_operations"
"""The schemas in which the scripts run for comparison; nobody else ever sees them."""


def version_scripts(schema: Literal["associations", "operations"]) -> list[Path]:
    """Return the scripts that make one of the schemas, version by version: their names end in the schema's."""
    return sorted((get_settings().sql_dir / "schema" / "migrations" / "versions").glob(f"*_{schema}.sql"))


def run_in_schemas(cursor: Cursor, script: Path, schemas: Sequence[str]) -> None:
    """Run a script with these schemas as its search path; objects are created in the first."""
    path = sql.SQL(", ").join(map(sql.Identifier, schemas))
    cursor.run(sql.SQL("SET LOCAL search_path = {}, pg_temp").format(path).as_string())
    cursor.run(script.read_text(encoding="utf-8"))
    cursor.run("SET LOCAL search_path = DEFAULT")


def grant_to_worker(cursor: Cursor, role: str, *, associations: str, operations: str) -> None:
    """Give an existing role the rights that the jobs need in two schemas, and take all others away."""
    script = (get_settings().sql_dir / "schema" / "roles" / "worker.sql").read_text(encoding="utf-8")
    names = {"role": role, "associations": associations, "operations": operations}
    cursor.run(sql.SQL(script).format(**{name: sql.Identifier(value) for name, value in names.items()}).as_string())


def build(cursor: Cursor, role: str) -> None:
    """Make both schemas as the package expects them, with the rights of the jobs' role; to be rolled back."""
    cursor.run(f"CREATE SCHEMA {ASSOCIATIONS}; CREATE SCHEMA {OPERATIONS}")
    for script in version_scripts("associations"):
        run_in_schemas(cursor, script, [ASSOCIATIONS])
    for script in version_scripts("operations"):
        run_in_schemas(cursor, script, [OPERATIONS, ASSOCIATIONS])
    grant_to_worker(cursor, role, associations=ASSOCIATIONS, operations=OPERATIONS)


def create_missing(cursor: Cursor) -> None:
    """Create those of the associations' tables and views of whose names there are none yet.

    All are created in a schema of their own, the missing ones are moved, and the rest is dropped; which takes along the
    foreign keys to relations that are there already. These are put back where what is there is a table: PostgreSQL has
    no keys to views. Views and triggers are put back in terms of what is there.
    """
    schema = get_settings().associations_schema
    names = {"contract": ASSOCIATIONS, "schema": schema}
    cursor.run(f"CREATE SCHEMA {ASSOCIATIONS}")
    # What the database has of functions is taken, not created again; names of tables are found in the first schema.
    for script in version_scripts("associations"):
        run_in_schemas(cursor, script, [ASSOCIATIONS, schema])
    for missing in cursor.rows(statement("schema/expected/missing.sql"), names):
        cursor.run(missing["take_over"])
    cursor.run("SELECT set_config('search_path', %(contract)s || ', ' || %(schema)s, true)", names)
    to_restore = [row["definition"] for row in cursor.rows(statement("schema/expected/lost_with_the_rest.sql"), names)]
    cursor.run(f"DROP SCHEMA {ASSOCIATIONS} CASCADE")
    cursor.run("SELECT set_config('search_path', %(schema)s, true)", names)
    for definition in to_restore:
        cursor.run(definition)
    cursor.run("SET LOCAL search_path = DEFAULT")
