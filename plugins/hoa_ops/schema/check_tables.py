"""The command ``check-tables``, for a database whose tables are another application's.

It says what the jobs need and do not find there. It changes nothing: what the package expects is created for the
comparison and taken back (see :mod:`hoa_ops.schema.expected`).
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING
from uuid import UUID

import psycopg

from hoa_ops.database import statement
from hoa_ops.errors import RequestError
from hoa_ops.schema import expected as contract
from hoa_ops.settings import get_settings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from hoa_ops.database import Cursor

_LOCKS = ("generate_invoices/lock.sql", "escalate_violations/lock.sql")
_NOBODY = {"tenant_id": UUID(int=0), "as_of": date.max}


def differences(cursor: Cursor, role: str) -> list[str]:
    """Say in sentences how tables, views and rights differ from what the jobs need; nothing where they do not.

    The rows are looked at as well: a view keeps no keys and rules, so what it gives must keep them by itself.

    :param cursor: as the schema owner.
    :param role: the role that runs the jobs.
    :raises RequestError: when there is no such role.
    """
    if cursor.row("SELECT FROM pg_roles WHERE rolname = %(role)s", {"role": role}) is None:
        raise RequestError(f"role: there is no role {role!r}; `python -m hoa_ops create-roles` creates it")
    settings = get_settings()
    cursor.run("SAVEPOINT as_it_is")
    contract.build(cursor, role)
    # With nothing on the path, PostgreSQL names everything in full.
    cursor.run("SELECT set_config('search_path', '', true)")
    names = {
        "contract": contract.ASSOCIATIONS,
        "schema": settings.associations_schema,
        "own_contract": contract.OPERATIONS,
        "own_schema": settings.operations_schema,
        "role": role,
    }
    found = [row["difference"] for row in cursor.rows(statement("schema/expected/differences.sql"), names)]
    found += [row["difference"] for row in cursor.rows(statement("schema/expected/rights.sql"), names)]
    unreadable = set()
    for rule in cursor.rows(statement("schema/expected/rules_of_rows.sql"), names):
        if rule["full_name"] in unreadable:
            continue
        counted, error = _attempt(cursor, rule["counting"])
        if error:
            unreadable.add(rule["full_name"])
            found.append(f"{rule['full_name']} cannot be read: {error}")
        elif counted:
            found.append(f"{counted} row(s) of {rule['full_name']} {rule['fault']}: correct them, or the view")
    cursor.run("ROLLBACK TO SAVEPOINT as_it_is")
    if not found:
        for lock in _LOCKS:
            _, error = _attempt(cursor, statement(lock), _NOBODY)
            found += [f"what {lock} locks cannot be locked: {error}"] if error else []
    return found


def _attempt(cursor: Cursor, sql: str, parameters: Mapping[str, Any] | None = None) -> tuple[int, str | None]:
    """Run a statement; return the number it gives, or what PostgreSQL has against it."""
    cursor.run("SAVEPOINT attempt")
    try:
        row = cursor.row(sql, parameters) or {}
    except psycopg.Error as error:
        cursor.run("ROLLBACK TO SAVEPOINT attempt")
        return 0, error.diag.message_primary
    return int(row.get("found") or 0), None
