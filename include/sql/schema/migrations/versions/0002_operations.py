"""The package's own tables: run ledger, outbox, document counters."""

from hoa_ops.schema.migrations import run_script

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Run the script beside this file in the package's schema."""
    run_script(__file__, schemas=("operations_schema", "associations_schema"))
