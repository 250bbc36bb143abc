"""The roles of the associations' database: the schema owner, which migrates, and the worker, which runs the jobs."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from hoa_ops.database import SchemaOwnerDatabase
from hoa_ops.errors import HoaOpsError, RequestError
from hoa_ops.schema.scripts import Schemas
from hoa_ops.settings import get_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hoa_ops.database import Cursor

SCHEMA_OWNER_PASSWORD = "HOA_OPS_OWNER_PASSWORD"  # noqa: S105 - the name of a variable
WORKER_PASSWORD = "HOA_OPS_WORKER_PASSWORD"  # noqa: S105

OLDEST_SERVER = 15
"""The oldest major version of PostgreSQL that all queries run on."""


@dataclass(frozen=True)
class Role:
    """A role that logs in.

    :param password: for a role to be created, or a new one for a role that exists; None: it keeps the one it has.
    """

    name: str
    password: str | None = None


def create_roles(dsn: str, *, database: str, schema_owner: Role, worker: Role) -> list[str]:
    """Create the schema owner, the worker and the database, unless they exist.

    A database that is created here is closed to everybody else. One that exists stays as open as it is, because other
    programs may use it; the two roles are only allowed to connect.

    :param dsn: URL of any database of the server, as a role that may create roles and databases.
    :param database: the associations' database.
    :param schema_owner: the role that will own the tables.
    :param worker: the role that the jobs will use.
    :returns: what was done, a line each.
    :raises HoaOpsError: when the server is too old, a new role has no password, or the rights are not enough.
    """
    if schema_owner.name == worker.name:
        raise HoaOpsError(
            f"the schema owner and the worker must be two roles, not both {worker.name!r}: the worker must own nothing"
        )
    with _administrator(dsn) as connection:
        done = [_create_role(connection, role) for role in (schema_owner, worker)]
        names = {
            "database": sql.Identifier(database),
            "schema_owner": sql.Identifier(schema_owner.name),
            "worker": sql.Identifier(worker.name),
        }
        is_new = not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone()
        if is_new:
            if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = current_user AND rolsuper").fetchone():
                # Only a superuser can create a database for a role without being a member of it.
                connection.execute(sql.SQL("GRANT {schema_owner} TO CURRENT_USER").format(**names))
            connection.execute(sql.SQL("CREATE DATABASE {database} OWNER {schema_owner}").format(**names))
            connection.execute(sql.SQL("REVOKE ALL ON DATABASE {database} FROM PUBLIC").format(**names))
        connection.execute(sql.SQL("GRANT CONNECT, CREATE ON DATABASE {database} TO {schema_owner}").format(**names))
        connection.execute(sql.SQL("GRANT CONNECT ON DATABASE {database} TO {worker}").format(**names))
    return [*done, f"database {database}: {'created' if is_new else 'already exists, and both roles may connect'}"]


def grant_worker(dsn: str, role: str) -> None:
    """Give an existing role the rights that the jobs need, and revoke all others.

    :param dsn: URL of the database, as the schema owner.
    :param role: the worker: the role of the Airflow Connection; it must own nothing.
    :raises RequestError: when there is no such role.
    """
    with SchemaOwnerDatabase(dsn) as database, database.transaction() as cursor:
        require_role(cursor, role)
        grant_rights(cursor, role, Schemas.of_deployment())


def require_role(cursor: Cursor, role: str) -> None:
    """Check that a role exists.

    :raises RequestError: when it does not.
    """
    if cursor.row("SELECT FROM pg_roles WHERE rolname = %(role)s", {"role": role}) is None:
        raise RequestError(f"role: there is no role {role!r}; `python -m hoa_ops create-roles` creates it")


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
                raise HoaOpsError(f"this server is older than PostgreSQL {OLDEST_SERVER}, the oldest version supported")
            yield connection
    except psycopg.errors.InsufficientPrivilege as error:
        raise HoaOpsError(
            f"{error.diag.message_primary}: use a role with CREATEROLE and CREATEDB, or a superuser"
        ) from None
    except psycopg.OperationalError as error:
        raise HoaOpsError(f"cannot connect to the server as an administrator: {str(error).splitlines()[0]}") from None
    except psycopg.Error as error:
        raise HoaOpsError(f"the server refused: {error.diag.message_primary or type(error).__name__}") from None


def _create_role(connection: psycopg.Connection, role: Role) -> str:
    is_new = not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role.name]).fetchone()
    if role.password is None:
        if is_new:
            raise HoaOpsError(
                f"the role {role.name} does not exist yet, and needs a password: "
                f"set {SCHEMA_OWNER_PASSWORD} and {WORKER_PASSWORD}"
            )
        return f"role {role.name}: already exists, password unchanged"
    # Hashed on this side, so that no log of the server can show the password.
    verifier = connection.pgconn.encrypt_password(role.password.encode(), role.name.encode(), b"scram-sha-256")
    connection.execute(
        sql.SQL("{verb} ROLE {role} LOGIN PASSWORD {verifier}").format(
            verb=sql.SQL("CREATE" if is_new else "ALTER"),
            role=sql.Identifier(role.name),
            verifier=sql.Literal(verifier.decode()),
        )
    )
    return f"role {role.name}: {'created' if is_new else 'already exists, password set'}"
