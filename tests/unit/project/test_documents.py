"""Pages that list what the code has must list all of it, and what they tell a shell to do must be shell."""

import re
import subprocess

import pytest

from hoa_ops.cli.main import COMMANDS
from hoa_ops.cli.settings import settings_page
from hoa_ops.jobs.billing import BillingRequest
from hoa_ops.jobs.check_budget_variances import BudgetVarianceRequest
from hoa_ops.jobs.escalate_violations import EscalationRequest
from tests.support.pages import PAGES, ROOT, shell_blocks


def test_settings_page_matches_the_code():
    assert (ROOT / "docs/settings.md").read_text() == settings_page(), "run: python -m hoa_ops settings"


def test_every_table_is_described():
    page = (ROOT / "docs/tables.md").read_text()
    created = set()
    for script in sorted((ROOT / "include/sql/schema").rglob("*.sql")):
        creates = r"^CREATE (?:OR REPLACE )?(?:TABLE|VIEW) (?:IF NOT EXISTS )?(\w+)"
        created |= set(re.findall(creates, script.read_text(), re.MULTILINE))
        created -= set(re.findall(r"^DROP TABLE (\w+)", script.read_text(), re.MULTILINE))
    assert {table for table in created if f"`{table}`" not in page} == set()


@pytest.mark.parametrize("model", [EscalationRequest, BudgetVarianceRequest, BillingRequest])
def test_readme_lists_every_param(model):
    readme = (ROOT / "README.md").read_text()
    assert {name for name in model.model_fields if f"| `{name}` |" not in readme} == set()


def test_every_room_is_described():
    page = (ROOT / "docs/architecture.md").read_text()
    rooms = {folder.parent.name for folder in (ROOT / "plugins/hoa_ops").glob("*/__init__.py")}
    assert {room for room in rooms if f"| `{room}` |" not in page} == set()


def headings(page):
    """The anchors of a page's headings, as they are made by who renders it."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(), flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page):
    for link in re.findall(r"\]\((?!https?:)([^)]+)\)", page.read_text()):
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), link
        assert not anchor or anchor in headings(target), link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_that_a_page_names_exist(page):
    assert set(re.findall(r"python -m hoa_ops ([a-z][\w-]*)", page.read_text())) - set(COMMANDS) == set()
    rules = re.findall(r"^([a-z0-9 -]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    targets = {target for rule in rules for target in rule.split()}
    assert set(re.findall(r"(?:^|`)make ([a-z0-9-]+)", page.read_text(), flags=re.MULTILINE)) - targets == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_shell_blocks_are_shell_and_marked_by_where_they_run(page):
    for block in shell_blocks(page):
        checked = subprocess.run(["bash", "-n"], input=block.script, capture_output=True, text=True, check=False)
        assert checked.returncode == 0, f"{block}\n{checked.stderr}"
        assert block.marks in ((), ("stack",)), block
        if block.marks:
            words = re.sub(r"#.*|'[^']*'|\"[^\"]*\"", "", block.script)
            assert re.findall(r"\b[A-Z][A-Z_]+\b|\.\.\.", words) == [], f"a placeholder:\n{block}"


def test_every_shell_block_is_found():
    for page in PAGES:
        assert len(list(shell_blocks(page))) == page.read_text().count("```bash"), page
