"""Which version the tables are of."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from hoa_ops.database import query
from hoa_ops.errors import NotReadyError
from hoa_ops.schema.scripts import versions

if TYPE_CHECKING:
    from hoa_ops.database import Cursor


def check_version(cursor: Cursor) -> str:
    """Return the version of the tables.

    Newer ones are accepted, so that an earlier release of the package can be put back.

    :raises NotReadyError: when they are older than this package needs, or were never made.
    """
    *older, needed = _versions()
    found = installed_version(cursor)
    if found is None:
        raise NotReadyError(
            "the database has no tables of this package: run `python -m hoa_ops migrate`, then "
            "`python -m hoa_ops grant`"
        )
    if found in older:
        raise NotReadyError(
            f"the tables are at version {found}, and this release needs {needed}: "
            f"run `python -m hoa_ops migrate`, then `python -m hoa_ops grant`"
        )
    return found


def installed_version(cursor: Cursor) -> str | None:
    """Return the version that the last migration left; None where there was none yet."""
    [server] = cursor.rows(query("schema/deployment/server.sql"))
    row = cursor.row(query("schema/deployment/version.sql")) if server["has_tables"] else None
    return None if row is None else str(row["version"])


@cache
def _versions() -> tuple[str, ...]:
    # Once per process: every run asks.
    return tuple(versions())
