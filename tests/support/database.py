"""Databases as a deployment has them, and the roles that own them and work on them."""

from devstack.postgres import EmbeddedPostgres

OWNER, WORKER, PASSWORD = "hoa_ops_owner", "hoa_ops_worker", "secret"


def prepare(server: EmbeddedPostgres, database: str) -> None:
    """Create the roles and a database with all tables, as a deployment does."""
    from hoa_ops.schema.migrations import migrate
    from hoa_ops.schema.roles import Role, create_roles, grant_worker

    create_roles(server.dsn(), database=database, owner=Role(OWNER, PASSWORD), worker=Role(WORKER, PASSWORD))
    migrate(server.dsn(database, OWNER, PASSWORD))
    grant_worker(server.dsn(database, OWNER, PASSWORD), WORKER)
