"""What README shows is what a newcomer sees: the demo, played as `make demo` does it."""

import contextlib
import io
import re

import pytest

from devstack import demo
from devstack.airflow import CHECKOUT


@pytest.fixture(scope="module")
def output(tmp_path_factory):
    """What the demo printed; it ends with an error at whatever should not be, such as a process left running."""
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        demo.run(tmp_path_factory.mktemp("demo") / "stack")
    return printed.getvalue()


def section(output, title):
    """The lines between a heading and the next, without their indentation."""
    found = re.search(rf"^=== {re.escape(title)} =+$\n(.*?)(?=^=== |\Z)", output, re.MULTILINE | re.DOTALL)
    assert found, f"no section {title!r}"
    return re.sub(r"^  ", "", found[1], flags=re.MULTILINE)


def test_report_in_readme_is_the_one_that_the_demo_prints(output):
    readme = (CHECKOUT / "README.md").read_text()
    [report] = re.findall(r"^```\n(=+\nVIOLATION .*?)^```", readme, re.MULTILINE | re.DOTALL)
    assert report in section(output, "Escalate overdue violations, October 29: live")


def test_budget_report_is_that_of_the_user_s_document(output):
    report = section(output, "Compare budgets with actual spending, October 29: live")
    assert "Landscaping - Budgeted: $12,000.00 - Actual: $14,500.00 - Variance: $2,500.00 (+20.8%) - WARNING" in report
    assert "Budgets Checked: 1\nTotal Alerts: 2\n" in report


def test_dry_run_changes_no_row_and_the_same_run_again_only_the_run_ledger(output):
    dry = section(output, "Charge late fees, November 6: dry run")
    assert re.search(r"^Rows changed: none, in any of \d+ tables\nE-mails that arrived: none$", dry, re.MULTILINE)
    again = section(output, "Charge late fees, November 6: live again")
    assert re.findall(r"^  (\w+) +\d+ -> ", again, re.MULTILINE) == ["run_tenants", "runs"]


def test_run_for_all_leaves_the_other_association_alone(output):
    report = section(output, "Escalate overdue violations of all associations, October 29: live")
    assert "HP-7 - Unit A-1 - Step 2" in report
    assert "Every row of Sunset Ridge HOA is as it was, and nobody there got an e-mail." in report
