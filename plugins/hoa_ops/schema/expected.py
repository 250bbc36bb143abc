"""What the package expects of the database, said by its own scripts and read back from PostgreSQL's catalogs.

The scripts run in schemas that exist only until the transaction is rolled back, or until the tables that were missing
have been moved out of them. So there is no second list of tables, keys and rights that could differ from the scripts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hoa_ops.database import query
from hoa_ops.schema.roles import grant_rights
from hoa_ops.schema.scripts import (
    Schemas,
    define_functions,
    define_triggers_and_views,
    run_script,
    run_version,
    version_scripts,
    versions,
)

if TYPE_CHECKING:
    from hoa_ops.database import Cursor

EXPECTED = Schemas("hoa_expected_associations", "hoa_expected_operations")
"""The schemas in which the scripts run for comparison; nobody else ever sees them."""


def build(cursor: Cursor, role: str) -> None:
    """Make both schemas as the package expects them, with the rights of the worker role; to be rolled back."""
    cursor.run(f"CREATE SCHEMA {EXPECTED.associations}; CREATE SCHEMA {EXPECTED.operations}")
    define_functions(cursor, EXPECTED, before_tables=True)
    for version in versions():
        run_version(cursor, version, EXPECTED)
    define_triggers_and_views(cursor, EXPECTED)
    grant_rights(cursor, role, EXPECTED)


def create_missing_tables(cursor: Cursor, *, version: str) -> None:
    """Create those of the associations' tables that are missing, where there is not even a view of that name.

    All are created in a schema of their own, the missing ones are moved, and the rest is dropped; which takes along the
    foreign keys to relations that are there already. These are put back where what is there is a table: PostgreSQL has
    no keys to views. The functions that the tables' defaults call must be there.

    :param version: as of which version the tables are created.
    """
    there = Schemas.of_deployment().associations
    names = {"expected_schema": EXPECTED.associations, "schema": there}
    cursor.run(f"CREATE SCHEMA {EXPECTED.associations}")
    for earlier in (known for known in versions() if known <= version):
        for script in version_scripts(earlier, "associations"):
            # Tables are found in the first schema, and functions in the other, where they stay.
            run_script(cursor, script, [EXPECTED.associations, there])
    for missing in cursor.rows(query("schema/expected/missing_tables.sql"), names):
        cursor.run(missing["move"])
    cursor.run("SELECT set_config('search_path', %(expected_schema)s || ', ' || %(schema)s, true)", names)
    keys = [row["definition"] for row in cursor.rows(query("schema/expected/severed_foreign_keys.sql"), names)]
    cursor.run(f"DROP SCHEMA {EXPECTED.associations} CASCADE")
    cursor.run("SELECT set_config('search_path', %(schema)s, true)", names)
    for definition in keys:
        cursor.run(definition)
    cursor.run("SET LOCAL search_path = DEFAULT")
