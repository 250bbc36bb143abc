"""Entries that close a fiscal year are told apart from what was earned and spent."""

from hoa_ops.schema.migrations import run_version

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Run the scripts of this version."""
    run_version(revision)
