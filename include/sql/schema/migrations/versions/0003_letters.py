"""What goes by mail is a letter: "post" is the ledger's word."""

from pathlib import Path

from hoa_ops.schema.migrations import run_script

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Run the scripts beside this file, one in each schema."""
    here = Path(__file__)
    run_script(here.with_name("0003_letters_associations.sql"), schemas=("associations_schema",))
    run_script(here.with_name("0003_letters_operations.sql"), schemas=("operations_schema", "associations_schema"))
