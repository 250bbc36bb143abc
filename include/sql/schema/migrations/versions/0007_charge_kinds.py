"""Lines of invoices say what they charge for, and an association the order in which payments settle that."""

from hoa_ops.schema.migrations import run_version

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Run the scripts of this version."""
    run_version(revision)
