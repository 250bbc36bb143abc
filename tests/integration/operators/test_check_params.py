"""A run that cannot mean what it says ends at its first task, with a sentence, before anything is touched."""

import itertools
from datetime import date, timedelta
from uuid import uuid4

import pytest
from airflow.sdk.exceptions import AirflowFailException

TODAY = date(2025, 10, 29)
DAG_IDS = ("hoa_violation_escalation", "hoa_budget_variance", "hoa_monthly_billing")
TASKS = {
    "hoa_violation_escalation": ["check_params", "escalate_violations", "deliver_messages", "report"],
    "hoa_budget_variance": ["check_params", "check_budget_variances", "deliver_messages", "report"],
    "hoa_monthly_billing": [
        "check_params", "generate_invoices", "assess_late_fees", "send_reminders", "deliver_messages", "report",
    ],
}  # fmt: skip


@pytest.fixture
def maple(database):
    """An association in which every job would have something to do."""
    maple = database.association()
    owner = maple.owner()
    unit = maple.unit("101", owner=owner)
    maple.violation(unit, maple.violation_type(), cure_deadline=TODAY - timedelta(days=30))
    maple.budget_line(maple.budget(), "5100", "100.00")
    maple.contact()
    maple.journal(date(2025, 3, 1), "5100", "1000", "500.00")
    maple.invoice(unit, owner, "250.00", on=date(2025, 9, 1))
    return maple


@pytest.fixture
def untouched(database, maple):
    """After the test the database must be as it was."""
    before = database.snapshot()
    yield
    assert database.snapshot() == before


def refused(jobs, dag_id, task_id="check_params", **params):
    """Run a task that must be refused; return the sentence."""
    with pytest.raises(AirflowFailException) as raised:
        jobs.run(dag_id, task_id, on=TODAY, **params)
    message = str(raised.value)
    assert message.startswith("This run was refused and nothing was touched: ")
    assert "\n" not in message
    return message


def test_good_run_logs_its_params_and_changes_nothing(database, jobs, maple):
    database.association("other-oaks")
    before = database.snapshot()
    for dag_id in DAG_IDS:
        assert "Live run as of 2025-10-29 for 2 association(s)" in jobs.run(dag_id, "check_params", on=TODAY).text
        outcome = jobs.run(dag_id, "check_params", on=TODAY, dry_run=True, as_of="2025-10-01", tenant="maple-court")
        assert "Dry run as of 2025-10-01 for 1 association(s)" in outcome.text
        assert outcome.returned is None
    assert database.snapshot() == before


@pytest.mark.parametrize("dag_id", DAG_IDS)
@pytest.mark.usefixtures("untouched")
def test_unknown_association_is_refused_by_every_task_that_would_work_on_it(jobs, dag_id):
    for dry_run in (True, False):
        for task_id in TASKS[dag_id]:
            if task_id in {"deliver_messages", "report"}:
                continue
            parameters = {"dry_run": dry_run, "tenant": "mapel-court"}
            if dag_id == "hoa_monthly_billing" and task_id != "check_params":
                parameters["job"] = task_id
            message = refused(jobs, dag_id, task_id, **parameters)
            assert "no association has the code, id or name 'mapel-court'" in message


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize("dag_id", DAG_IDS)
def test_older_tables_are_refused_before_anything_is_changed(database, jobs, maple, dag_id):
    database.run("UPDATE alembic_version SET version_num = '0001'")
    with pytest.raises(
        AirflowFailException, match=r"the tables are at version 0001, and this release needs \d{4}: run"
    ):
        jobs.run(dag_id, "check_params", on=TODAY)


def test_newer_tables_are_accepted_so_that_a_package_can_be_rolled_back(database, jobs, maple):
    database.run("UPDATE alembic_version SET version_num = '9999'")
    assert "1 association(s)" in jobs.run("hoa_budget_variance", "check_params", on=TODAY).text


@pytest.mark.usefixtures("untouched")
def test_inactive_association_is_refused(database, jobs, maple):
    for status, tenant in itertools.product(("trial", "suspended", "inactive"), ("maple-court", str(maple.tenant_id))):
        database.run("UPDATE tenants SET status = %s", status)
        message = refused(jobs, "hoa_violation_escalation", tenant=tenant)
        assert f"tenant: the association {tenant!r} is {status}; only active associations are worked on" in message


def test_refusal_is_logged_in_lines_that_fit_on_the_page(jobs, maple):
    with pytest.raises(AirflowFailException) as raised:
        jobs.run("hoa_budget_variance", "check_params", on=TODAY, warning_threshold=50, critical_threshold=40)
    told = [line for line in jobs.last.log if "Alerts go nowhere" not in line]
    assert " ".join(told) == str(raised.value)
    assert len(told) > 1
    assert max(map(len, told)) <= 90


def test_association_is_found_by_code_and_by_id(jobs, maple):
    for tenant in ("maple-court", str(maple.tenant_id), str(maple.tenant_id).upper()):
        assert "1 association(s)" in jobs.run("hoa_budget_variance", "check_params", on=TODAY, tenant=tenant).text


@pytest.mark.usefixtures("untouched")
def test_sql_in_a_param_is_just_an_unknown_name(jobs):
    for tenant in ("' OR true --", "%s", "%(tenant)s", "{{ ds }}", "maple-court'; DROP TABLE tenants; --"):
        assert "no association has the code, id or name" in refused(jobs, "hoa_violation_escalation", tenant=tenant)


@pytest.mark.usefixtures("untouched")
def test_unknown_budget_is_refused(jobs):
    unknown = str(uuid4())
    for task_id in ("check_params", "check_budget_variances"):
        message = refused(jobs, "hoa_budget_variance", task_id, budget_id=unknown)
        assert f"budget_id: there is no budget {unknown}" in message


@pytest.mark.usefixtures("untouched")
def test_inactive_budget_is_refused(database, jobs):
    for status in ("draft", "closed"):
        budget_id = str(database.value("UPDATE budgets SET status = %s RETURNING id", status))
        message = refused(jobs, "hoa_budget_variance", budget_id=budget_id)
        assert f"budget {budget_id} is {status}; only active budgets are checked" in message


def test_budget_of_another_association_is_refused(database, jobs, maple):
    other = database.association("other-oaks")
    budget_id = str(other.budget()["id"])
    before = database.snapshot()
    message = refused(jobs, "hoa_budget_variance", budget_id=budget_id, tenant="maple-court")
    assert f"budget_id: budget {budget_id} does not belong to the association 'maple-court'" in message
    assert "1 association(s)" in jobs.run(
        "hoa_budget_variance", "check_params", on=TODAY, budget_id=budget_id, tenant=str(other.tenant_id).upper()
    ).text  # fmt: skip
    assert database.snapshot() == before


BAD_PARAMS = {
    "hoa_violation_escalation": [
        ({"days_grace": 400}, "days_grace: "),
        ({"as_of": "2025-10-30"}, "as_of 2025-10-30 is after the run date 2025-10-29"),
    ],
    "hoa_budget_variance": [
        ({"warning_threshold": 40}, "critical_threshold (30) is below warning_threshold (40)"),
        ({"budget_id": "abc123"}, "budget_id: "),
    ],
    "hoa_monthly_billing": [
        ({"billing_month": "2025-13"}, "billing_month: write the month as YYYY-MM"),
        ({"billing_month": "2025-11"}, "billing_month 2025-11 has not begun on 2025-10-29"),
        ({"job": "everything"}, "job: "),
    ],
}
BAD_ANYWHERE = [({"dryrun": True}, "there is no param dryrun"), ({"dry_run": "perhaps"}, "dry_run: ")]


@pytest.mark.parametrize("dag_id", DAG_IDS)
@pytest.mark.usefixtures("untouched")
def test_bad_params_are_refused_by_every_task_of_the_run(jobs, dag_id):
    for (params, sentence), task_id in itertools.product(BAD_PARAMS[dag_id] + BAD_ANYWHERE, TASKS[dag_id]):
        assert sentence in refused(jobs, dag_id, task_id, **params)
