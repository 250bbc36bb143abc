"""The associations' own tables."""

from hoa_ops.schema.migrations import run_version

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Run the scripts of this version."""
    run_version(revision)
