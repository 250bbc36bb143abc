"""The trigger form of each DAG, used with a real browser as a bookkeeper would.

The README's pictures are remade by running this file alone with ``HOA_OPS_PICTURES`` naming the folder:
``HOA_OPS_PICTURES=docs/images .venv/bin/python -m pytest tests/e2e/operators/test_trigger_forms.py``.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

import pytest

from devstack.mail_sink import messages
from hoa_ops.jobs.billing import BillingRequest
from hoa_ops.jobs.check_budget_variances import BudgetVarianceRequest
from hoa_ops.jobs.escalate_violations import EscalationRequest
from hoa_ops.jobs.run_request import RunRequest
from hoa_ops.operators.dag_params import dag_params

PICTURES = os.environ.get("HOA_OPS_PICTURES")


@dataclass(frozen=True)
class Form:
    """A DAG's form, what somebody writes into it to look ahead, and what the report must then tell."""

    dag_id: str
    title: str
    request_model: type[RunRequest]
    job: str
    written: dict[str, str]
    banner: str
    told: str

    @property
    def params(self):
        return dag_params(self.request_model)


BILLING = Form(
    "hoa_monthly_billing",
    "Monthly billing",
    BillingRequest,
    "generate_invoices",
    {"tenant": "sunset-ridge", "job": "Monthly invoices", "billing_month": "2031-03"},
    "MONTHLY INVOICE GENERATION",
    r"Unit 101 - March 2031 - \$250\.00",
)
VIOLATIONS = Form(
    "hoa_violation_escalation",
    "Violation escalation",
    EscalationRequest,
    "escalate_violations",
    {"tenant": "sunset-ridge", "as_of": "2025-10-29", "days_grace": "2"},
    "VIOLATION AUTO-ESCALATION TASK",
    r"VIOL-2025-001 - Unit 101 - .*Overdue by 7 days",
)
BUDGETS = Form(
    "hoa_budget_variance",
    "Budget variances",
    BudgetVarianceRequest,
    "check_budget_variances",
    {"tenant": "sunset-ridge", "as_of": "2025-10-29", "warning_threshold": "15", "critical_threshold": "25"},
    "BUDGET VARIANCE MONITORING",
    r"Landscaping - Budgeted: \$12,000\.00 - Actual: \$14,500\.00 - Variance: \$2,500\.00 \(\+20\.8%\) - WARNING",
)
FORMS = (BILLING, VIOLATIONS, BUDGETS)


@pytest.fixture(scope="module", autouse=True)
def unpaused(api):
    dag_ids = [form.dag_id for form in FORMS]
    api.wait_for_dags(dag_ids)
    for dag_id in dag_ids:
        api.unpause(dag_id)


@pytest.fixture
def open_form(visit):
    """Go from the list of DAGs to the DAG, and there to its trigger form."""

    def go(form):
        # High enough for the whole form, and for the whole report: Airflow draws only those lines that are seen.
        page = visit("/dags", height=1080)
        page.get_by_role("link", name=form.title, exact=True).click()
        page.wait_for_url(re.compile(rf"/dags/{form.dag_id}$"))
        page.get_by_role("heading", name=form.title).wait_for()
        page.get_by_role("button", name="Trigger Dag").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_role("checkbox", name="Dry run").wait_for(state="attached")
        return page, dialog

    return go


def field(dialog, name):
    return dialog.locator(f"[name='element_{name}']")


def write(page, dialog, values):
    for name, value in values.items():
        if name == "job":
            dialog.get_by_role("combobox", name="Job").click()
            page.get_by_role("option", name=value).click()
        else:
            field(dialog, name).fill(value)


def switch_on(page, dialog, name):
    switch = page.get_by_role("checkbox", name=name)
    dialog.locator("label").filter(has=switch).click()
    assert switch.is_checked()


def press_trigger(dialog):
    dialog.get_by_role("button", name="Trigger", exact=True).click()


def run_that_opens(page):
    """Airflow shows the run that the form has started."""
    page.wait_for_url(re.compile("/runs/"))
    return unquote(page.url.partition("/runs/")[2])


def open_log(page, task_id):
    page.get_by_role("table").get_by_role("link", name=task_id, exact=True).click()
    return page.get_by_test_id("virtualized-list")


def keep_picture(page, name, *, height):
    if PICTURES:
        page.mouse.move(0, 0)
        page.set_viewport_size({"width": 1280, "height": height})
        page.screenshot(path=Path(PICTURES) / f"{name}.png", animations="disabled")


def runs(api, form):
    return api.get(f"dags/{form.dag_id}/dagRuns")["total_entries"]


def by_dag(value):
    return value.dag_id if isinstance(value, Form) else None


@pytest.mark.parametrize("form", FORMS, ids=by_dag)
def test_every_field_is_titled_and_explained_in_the_order_of_the_params(api, open_form, form):
    _, dialog = open_form(form)
    for param in form.params.values():
        title = re.compile(rf"^{re.escape(param.schema['title'])} ?\*?$")
        assert dialog.get_by_text(title).first.is_visible()
        assert dialog.get_by_text(param.description, exact=True).is_visible()
    text = dialog.inner_text()
    places = [text.index(param.description) for param in form.params.values()]
    assert places == sorted(places)
    assert "null" not in text
    # A backfill would repeat days long past.
    assert dialog.get_by_role("radio", name="Backfill").is_disabled()
    with pytest.raises(RuntimeError, match="does not allow backfill runs"):
        api.backfill(form.dag_id, "2025-10-01", "2025-10-31")


def test_jobs_are_chosen_by_what_they_do(open_form):
    page, dialog = open_form(BILLING)
    choice = dialog.get_by_role("combobox", name="Job")
    assert dialog.get_by_text("Every job that is due", exact=True).is_visible()
    choice.click()
    labels = ["Monthly invoices", "Late fees", "Payment reminders", "Every job that is due"]
    page.get_by_role("option", name=labels[0]).wait_for()
    assert page.get_by_role("option").all_inner_texts() == labels


@pytest.mark.parametrize("form", FORMS, ids=by_dag)
def test_dry_run_is_asked_for_in_the_form_and_its_report_read_in_the_log(stack, api, ledgers, open_form, form):
    before, mails_before = ledgers.state(), len(messages(stack.mail_folder))
    page, dialog = open_form(form)
    switch_on(page, dialog, "Dry run")
    write(page, dialog, form.written)
    if form is VIOLATIONS:
        keep_picture(page, "trigger-form", height=1080)
    press_trigger(dialog)
    run_id = run_that_opens(page)
    assert api.wait_for_run(form.dag_id, run_id) == "success"
    page.get_by_test_id("header-card").get_by_text("Success").wait_for()

    log = open_log(page, form.job)
    log.get_by_text("SUMMARY").wait_for()
    report = log.inner_text()
    for told in (form.banner, "Mode: DRY RUN", form.told, "[Ww]ould ", "SUMMARY"):
        assert re.search(told, report), told
    if form is VIOLATIONS:
        keep_picture(page, "dry-run-report", height=820)
    assert ledgers.state() == before
    assert len(messages(stack.mail_folder)) == mails_before


@pytest.mark.parametrize(
    ("form", "wrong"),
    [
        (
            BILLING,
            {
                "billing_month": ("2025-13", "'2025-13' does not match"),
                "as_of": ("2025-02-30", "'2025-02-30' is not a 'date'"),
                "days_grace": ("2.5", "2.5 is not of type 'integer', 'null'"),
            },
        ),
        (
            VIOLATIONS,
            {
                "days_grace": ("366", "366 is greater than the maximum of 365"),
                "as_of": ("tomorrow", "'tomorrow' is not a 'date'"),
            },
        ),
        (
            BUDGETS,
            {
                "warning_threshold": ("-5", "-5 is less than the minimum of 0"),
                "budget_id": ("abc123", "'abc123' is not a 'uuid'"),
            },
        ),
    ],
    ids=by_dag,
)
def test_wrong_value_is_refused_with_its_reason_and_nothing_is_triggered(api, open_form, form, wrong):
    before = runs(api, form)
    _, dialog = open_form(form)
    for name, (value, fault) in wrong.items():
        right = field(dialog, name).input_value()
        field(dialog, name).fill(value)
        # By the keyboard: for a while Airflow's notice of the last refusal covers the button.
        dialog.get_by_role("button", name="Trigger", exact=True).press("Enter")
        dialog.get_by_text(f"Invalid input for param {name}: {fault}").wait_for()
        assert field(dialog, name).input_value() == value, "what was written is still there, to be corrected"
        field(dialog, name).fill(right)
    assert runs(api, form) == before


def test_words_for_a_number_cannot_be_triggered(open_form):
    _, dialog = open_form(VIOLATIONS)
    number = field(dialog, "days_grace")
    number.fill("")
    number.press_sequentially("ten")
    dialog.get_by_text("This field is required").wait_for()
    assert number.input_value() == ""
    assert dialog.get_by_role("button", name="Trigger", exact=True).is_disabled()


@pytest.mark.parametrize(
    ("form", "values", "sentence"),
    [
        (
            BILLING,
            {"job": "Payment reminders", "billing_month": "2025-11"},
            "billing_month is a param of generate_invoices, but the run is for send_reminders: remove one of the two",
        ),
        (VIOLATIONS, {"as_of": "2098-01-01"}, "choose an earlier date, or set dry_run to look ahead"),
        (VIOLATIONS, {"tenant": "no-such"}, "no association has the code, id or name 'no-such'"),
        (
            BUDGETS,
            {"warning_threshold": "50", "critical_threshold": "40"},
            "critical_threshold (40) is below warning_threshold (50): raise one or lower the other",
        ),
    ],
    ids=by_dag,
)
def test_contradiction_ends_the_run_and_its_log_says_what_to_change(api, ledgers, open_form, form, values, sentence):
    before = ledgers.state()
    page, dialog = open_form(form)
    write(page, dialog, values)
    press_trigger(dialog)
    run_id = run_that_opens(page)
    assert api.wait_for_run(form.dag_id, run_id) == "failed"
    states = api.task_states(form.dag_id, run_id)
    assert (states["check_params"], states[form.job]) == ("failed", "upstream_failed")
    log = open_log(page, "check_params")
    log.get_by_text("This run was refused and nothing was touched").first.wait_for()
    assert sentence in log.inner_text()
    assert ledgers.state() == before
