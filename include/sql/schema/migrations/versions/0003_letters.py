"""What goes by mail is a letter: "post" is the ledger's word."""

from hoa_ops.schema.migrations import run_version

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Run the scripts of this version."""
    run_version(revision)
