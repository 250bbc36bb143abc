"""Pages that list what the code has must list all of it."""

import re
from pathlib import Path

import pytest

from hoa_ops.reference import settings_page
from hoa_ops.run_request import BillingRequest, BudgetVarianceRequest, EscalationRequest

ROOT = Path(__file__).resolve().parents[2]


def test_settings_page_is_what_the_code_says():
    assert (ROOT / "docs/settings.md").read_text() == settings_page(), "run: python -m hoa_ops settings"


def test_every_table_is_described():
    page = (ROOT / "docs/tables.md").read_text()
    created = set()
    for script in (ROOT / "include/sql/migrations/versions").glob("*.sql"):
        created |= set(re.findall(r"^CREATE (?:TABLE|VIEW) (\w+)", script.read_text(), flags=re.MULTILINE))
    assert {table for table in created if f"`{table}`" not in page} == set()


@pytest.mark.parametrize("model", [EscalationRequest, BudgetVarianceRequest, BillingRequest])
def test_readme_lists_every_param(model):
    readme = (ROOT / "README.md").read_text()
    assert {name for name in model.model_fields if f"| `{name}` |" not in readme} == set()


@pytest.mark.parametrize(
    "page", [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))], ids=lambda page: page.name
)
def test_links_between_pages_lead_somewhere(page):
    for link in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
        assert (page.parent / link).exists(), link
