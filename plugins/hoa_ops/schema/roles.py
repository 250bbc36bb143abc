"""The roles of the associations' database: an owner that migrates, and a worker that runs the jobs and owns nothing."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from hoa_ops.database import SchemaOwnerDatabase
from hoa_ops.errors import HoaOpsError
from hoa_ops.schema.scripts import Schemas
from hoa_ops.settings import get_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hoa_ops.database import Cursor

SCHEMA_OWNER_PASSWORD = "HOA_OPS_OWNER_PASSWORD"  # noqa: S105 - the name of a variable
WORKER_PASSWORD = "HOA_OPS_WORKER_PASSWORD"  # noqa: S105

OLDEST_SERVER = 15
"""The oldest major version of PostgreSQL that the statements run on."""


@dataclass(frozen=True)
class Role:
    """A role that logs in.

    :param password: for a role to be created, or a new one for a role that exists; None: it keeps the one it has.
    """

    name: str
    password: str | None = None


def create_roles(dsn: str, *, database: str, owner: Role, worker: Role) -> list[str]:
    """Create the owner, the worker and the database, as far as they are missing.

    A database that is created here is closed to everybody else. One that exists stays as open as it is, because other
    programs may live in it; owner and worker are only let in.

    :param dsn: URL of any database of the server, as a role that may create roles and databases.
    :param database: the associations' database.
    :param owner: the role that is to own the tables.
    :param worker: the role that the jobs are to use.
    :returns: what was done, a sentence each.
    :raises HoaOpsError: when the server is too old, a role to be created has no password, or the rights do not suffice.
    """
    if owner.name == worker.name:
        raise HoaOpsError(f"owner and worker must be two roles, not {owner.name!r} twice: the worker owns nothing")
    with _administrator(dsn) as connection:
        done = [_create_role(connection, role) for role in (owner, worker)]
        names = {
            "database": sql.Identifier(database),
            "owner": sql.Identifier(owner.name),
            "worker": sql.Identifier(worker.name),
        }
        is_new = not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone()
        if is_new:
            if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = current_user AND rolsuper").fetchone():
                # Who is no superuser must be a member of the role that he gives a database to.
                connection.execute(sql.SQL("GRANT {owner} TO CURRENT_USER").format(**names))
            connection.execute(sql.SQL("CREATE DATABASE {database} OWNER {owner}").format(**names))
            connection.execute(sql.SQL("REVOKE ALL ON DATABASE {database} FROM PUBLIC").format(**names))
        connection.execute(sql.SQL("GRANT CONNECT, CREATE ON DATABASE {database} TO {owner}").format(**names))
        connection.execute(sql.SQL("GRANT CONNECT ON DATABASE {database} TO {worker}").format(**names))
    return [*done, f"database {database}: {'created' if is_new else 'is there already, and open to both'}"]


def grant_worker(dsn: str, role: str) -> None:
    """Give an existing role the rights that the jobs need, and take all others away.

    :param dsn: URL of the database, as the role that owns the tables.
    :param role: the role of the Airflow Connection; it must own nothing.
    """
    with SchemaOwnerDatabase(dsn) as database, database.transaction() as cursor:
        grant_rights(cursor, role, Schemas.of_deployment())


def grant_rights(cursor: Cursor, role: str, schemas: Schemas) -> None:
    """Give an existing role the rights that the jobs need in two schemas, and revoke all others there."""
    script = (get_settings().sql_dir / "schema" / "roles" / "worker.sql").read_text(encoding="utf-8")
    names = {"role": role, "associations": schemas.associations, "operations": schemas.operations}
    cursor.run(sql.SQL(script).format(**{name: sql.Identifier(value) for name, value in names.items()}).as_string())


@contextmanager
def _administrator(dsn: str) -> Iterator[psycopg.Connection]:
    try:
        with psycopg.connect(dsn, autocommit=True) as connection:
            if connection.info.server_version < OLDEST_SERVER * 10000:
                raise HoaOpsError(f"this server is older than PostgreSQL {OLDEST_SERVER}, the oldest that will do")
            yield connection
    except psycopg.errors.InsufficientPrivilege as error:
        raise HoaOpsError(
            f"{error.diag.message_primary}: use a role with CREATEROLE and CREATEDB, or the server's superuser"
        ) from None
    except psycopg.OperationalError as error:
        raise HoaOpsError(f"the server cannot be reached as its administrator: {str(error).splitlines()[0]}") from None


def _create_role(connection: psycopg.Connection, role: Role) -> str:
    is_new = not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role.name]).fetchone()
    if role.password is None:
        if is_new:
            raise HoaOpsError(
                f"the role {role.name} is to be created and has no password: "
                f"set {SCHEMA_OWNER_PASSWORD} and {WORKER_PASSWORD}"
            )
        return f"role {role.name}: is there already, its password as it was"
    # Hashed on this side, so that no log of the server can show the password.
    verifier = connection.pgconn.encrypt_password(role.password.encode(), role.name.encode(), b"scram-sha-256")
    connection.execute(
        sql.SQL("{verb} ROLE {role} LOGIN PASSWORD {verifier}").format(
            verb=sql.SQL("CREATE" if is_new else "ALTER"),
            role=sql.Identifier(role.name),
            verifier=sql.Literal(verifier.decode()),
        )
    )
    return f"role {role.name}: {'created' if is_new else 'is there already, its password set'}"
