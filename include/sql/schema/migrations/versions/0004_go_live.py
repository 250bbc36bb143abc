"""Going live on purpose: decisions about jobs, and runs that were only rehearsed."""

from hoa_ops.schema.migrations import run_version

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Run the scripts of this version."""
    run_version(revision)
