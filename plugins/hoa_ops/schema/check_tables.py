"""How a database differs from what the jobs need, for one whose tables belong to another application.

Nothing is changed: what the package expects is created for the comparison and rolled back (see
:mod:`hoa_ops.schema.expected`).
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING
from uuid import UUID

import psycopg

from hoa_ops.database import query
from hoa_ops.schema.expected import EXPECTED, build
from hoa_ops.schema.roles import require_role
from hoa_ops.schema.scripts import Schemas

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from hoa_ops.database import Cursor

_LOCKS = ("generate_invoices/lock.sql", "escalate_violations/lock.sql")
_NOBODY = {"tenant_id": UUID(int=0), "as_of": date.max}


def differences(cursor: Cursor, role: str) -> list[str]:
    """Say in sentences how tables, views and rights differ from what the jobs need; nothing where they do not.

    The rows are checked as well: a view enforces no keys and rules, so its rows must keep them by themselves.

    :param cursor: as the schema owner.
    :param role: the role that runs the jobs.
    :raises RequestError: when there is no such role.
    """
    require_role(cursor, role)
    schemas = Schemas.of_deployment()
    cursor.run("SAVEPOINT as_it_is")
    build(cursor, role)
    # With nothing on the path, PostgreSQL names everything in full.
    cursor.run("SELECT set_config('search_path', '', true)")
    names = {
        "expected_associations": EXPECTED.associations,
        "associations": schemas.associations,
        "expected_operations": EXPECTED.operations,
        "operations": schemas.operations,
        "role": role,
    }
    found = [row["difference"] for row in cursor.rows(query("schema/expected/differences.sql"), names)]
    found += [row["difference"] for row in cursor.rows(query("schema/expected/rights.sql"), names)]
    unreadable = set()
    for check in cursor.rows(query("schema/expected/row_checks.sql"), names):
        if check["full_name"] in unreadable:
            continue
        counted, error = _attempt(cursor, check["count_query"])
        if error:
            unreadable.add(check["full_name"])
            found.append(f"{check['full_name']} cannot be read: {error}")
        elif counted:
            found.append(f"{counted} row(s) in {check['full_name']} {check['fault']}: fix the rows or the view")
    cursor.run("ROLLBACK TO SAVEPOINT as_it_is")
    if not found:
        for lock in _LOCKS:
            _, error = _attempt(cursor, query(lock), _NOBODY)
            found += [f"the rows that {lock} locks cannot be locked: {error}"] if error else []
    return found


def _attempt(cursor: Cursor, sql: str, parameters: Mapping[str, Any] | None = None) -> tuple[int, str | None]:
    """Run a query; return the number it gives, or PostgreSQL's objection."""
    cursor.run("SAVEPOINT attempt")
    try:
        row = cursor.row(sql, parameters) or {}
    except psycopg.Error as error:
        cursor.run("ROLLBACK TO SAVEPOINT attempt")
        return 0, error.diag.message_primary
    return int(row.get("found") or 0), None
