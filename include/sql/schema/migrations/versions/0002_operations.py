"""The package's own tables: run ledger, outbox, document counters."""

from hoa_ops.schema.migrations import run_version

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Run the scripts of this version."""
    run_version(revision)
