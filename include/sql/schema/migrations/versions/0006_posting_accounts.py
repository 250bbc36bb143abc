"""Which accounts the jobs post to is the association's choice."""

from hoa_ops.schema.migrations import run_version

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Run the scripts of this version."""
    run_version(revision)
