"""The associations' own tables."""

from hoa_ops.schema.migrations import run_script

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Run the script beside this file in the associations' schema."""
    run_script(__file__, schemas=("associations_schema",))
