"""Going live on purpose: decisions about jobs, and runs that were only rehearsed."""

from hoa_ops.schema.migrations import run_script

revision = "0004"
down_revision = "0002"


def upgrade() -> None:
    """Run the script beside this file in the package's schema."""
    run_script(__file__, schemas=("operations_schema", "associations_schema"))
