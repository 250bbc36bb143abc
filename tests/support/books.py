"""The books of every association of a test, checked by the project's own proof and as the worker sees them."""

from datetime import date

from hoa_ops.books.integrity import deviations
from hoa_ops.database import Database
from tests.support.association import AssociationsDatabase


def deviations_of_all(database: AssociationsDatabase, *, as_of: date = date(9999, 12, 31)) -> list[str]:
    """Return what is wrong in any association's books, by default over everything that was ever posted."""
    with Database("hoa_ops_db") as worker, worker.transaction(read_only=True) as cursor:
        return [
            f"{tenant['name']}: {deviation}"
            for tenant in database.rows("SELECT id, name FROM tenants ORDER BY name")
            for deviation in deviations(cursor, tenant["id"], as_of=as_of)
        ]
