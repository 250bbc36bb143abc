"""Going live on purpose: decisions about jobs, and runs that were only rehearsed."""

from pathlib import Path

from hoa_ops.schema.migrations import run_script

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Run the script beside this file in the package's schema."""
    script = Path(__file__).with_name("0004_go_live_operations.sql")
    run_script(script, schemas=("operations_schema", "associations_schema"))
