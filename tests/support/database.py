"""Databases as a deployment has them, and the roles that own them and work on them."""

import psycopg

from devstack.postgres import EmbeddedPostgres

OWNER, WORKER, PASSWORD = "hoa_ops_owner", "hoa_ops_worker", "secret"


def prepare(server: EmbeddedPostgres, database: str) -> None:
    """Create the roles and a database with all tables, and go live, as a deployment does."""
    from hoa_ops.schema.migrations import migrate
    from hoa_ops.schema.roles import Role, create_roles, grant_worker

    create_roles(server.dsn(), database=database, schema_owner=Role(OWNER, PASSWORD), worker=Role(WORKER, PASSWORD))
    migrate(server.dsn(database, OWNER, PASSWORD))
    grant_worker(server.dsn(database, OWNER, PASSWORD), WORKER)
    with psycopg.connect(server.dsn(database, OWNER, PASSWORD)) as connection:
        go_live(connection)


LIVE_SINCE = "2000-01-01"


def go_live(connection: psycopg.Connection, since: str = LIVE_SINCE) -> None:
    """Let all jobs post, since before anything that tests do."""
    from hoa_ops.jobs import JOBS

    for job in JOBS:
        connection.execute(
            "INSERT INTO hoa_ops.go_live_decisions (job, live, decided_by, reason, decided_at)"
            " VALUES (%s, true, 'a test', 'to see it post', %s)",
            [job.name, since],
        )
