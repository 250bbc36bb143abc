"""Alembic's entry point: runs the versions on the connection that ``hoa_ops.schema.migrations`` has opened."""

from alembic import context

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    version_table_schema=context.config.attributes["operations_schema"],
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
