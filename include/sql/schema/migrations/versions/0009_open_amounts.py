"""What is applied is stored once, on invoices and payments; entries know the transaction that posted them."""

from hoa_ops.schema.migrations import run_version

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Run the scripts of this version."""
    run_version(revision)
