"""What a unit is billed, and its status, are rows with dates: a period is billed at what was in force then."""

from hoa_ops.schema.migrations import run_version

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Run the scripts of this version."""
    run_version(revision)
