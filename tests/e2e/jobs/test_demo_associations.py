"""The user's document, replayed by the real scheduler on the demo associations: words, postings and mails."""

import json
import random
import re
import subprocess
import sys

import psycopg
import pytest

from devstack.mail_sink import messages

AS_OF = "2025-10-29"
VIOLATIONS, BUDGETS, BILLING = "hoa_violation_escalation", "hoa_budget_variance", "hoa_monthly_billing"
CANARIES = ("john.smith", "John Smith", "101 Ridge Road", "treasurer@sunset-ridge", "Theresa Ledger", "ingrid.olsen")

ESCALATION_REPORT = """\
VIOLATION AUTO-ESCALATION TASK
======================================================================
Run Date: 2025-10-29 06:00:00
Mode: LIVE
Grace Days: 0

Found 3 overdue violation(s)

  → VIOL-2025-001 - Unit 101 - Step 2 - Fine: $100.00 - Overdue by 7 days
    ✓ Escalated and notification sent
  → VIOL-2025-002 - Unit 205 - Step 1 - Fine: $50.00 - Overdue by 3 days
    ✓ Escalated and notification sent
  → VIOL-2025-003 - Unit 312 - Step 3 - Fine: $150.00 - Overdue by 14 days
    ✓ Escalated and notification sent

======================================================================
SUMMARY
======================================================================
Total Overdue: 3
Escalated: 3
"""

BUDGET_REPORT = """\
BUDGET VARIANCE MONITORING
======================================================================
Run Date: 2025-10-29 09:00:00
Mode: LIVE
Warning Threshold: 20.0%
Critical Threshold: 30.0%

Checking 1 active budget(s)

Budget: 2025 Operating Budget
Period: 2025 (2025-01-01 to 2025-12-31)

  ⚠ Landscaping - Budgeted: $12,000.00 - Actual: $14,500.00 - Variance: $2,500.00 (+20.8%) - WARNING
  ⚠ Repairs & Maintenance - Budgeted: $8,000.00 - Actual: $11,200.00 - Variance: $3,200.00 (+40.0%) - CRITICAL

  ✓ Alert notification sent (2 items)

======================================================================
SUMMARY
======================================================================
Budgets Checked: 1
Total Alerts: 2
"""


@pytest.fixture(scope="module", autouse=True)
def unpaused(api):
    api.wait_for_dags(list(JOBS))
    for dag_id in JOBS:
        api.unpause(dag_id)


def play(api, dag_id, **conf):
    run_id = api.trigger(dag_id, {"as_of": AS_OF, "tenant": "sunset-ridge"} | conf)
    return run_id, api.wait_for_run(dag_id, run_id)


def log(api, dag_id, run_id, task_id):
    return "\n".join(line.event for line in api.task_log(dag_id, run_id, task_id))


@pytest.mark.parametrize(
    ("dag_id", "job", "report", "posted_table", "posted", "recipients"),
    [
        (
            VIOLATIONS,
            "escalate_violations",
            ESCALATION_REPORT,
            "invoices",
            3,
            {"john.smith@example.com", "maria.garcia@example.com", "wei.chen@example.com"},
        ),
        (
            BUDGETS,
            "check_budget_variances",
            BUDGET_REPORT,
            "budget_alerts",
            2,
            {"treasurer@sunset-ridge.example", "board@sunset-ridge.example"},
        ),
    ],
)
def test_dry_live_and_again(stack, api, ledgers, dag_id, job, report, posted_table, posted, recipients):
    before, mails_before = ledgers.state(), len(messages(stack.mail_folder))
    run_id, state = play(api, dag_id, dry_run=True)
    assert state == "success"
    dry = log(api, dag_id, run_id, job)
    assert "Mode: DRY RUN" in dry
    assert ledgers.state() == before
    assert len(messages(stack.mail_folder)) == mails_before

    run_id, state = play(api, dag_id)
    assert state == "success"
    assert report in log(api, dag_id, run_id, "report") + "\n"
    for line in re.findall(r"^  [→⚠].*$", dry, flags=re.MULTILINE):
        assert line in report
    after = ledgers.state()
    assert after[posted_table].rows == before[posted_table].rows + posted
    mails = messages(stack.mail_folder)[mails_before:]
    assert {mail["To"].addresses[0].addr_spec for mail in mails} == recipients

    run_id, state = play(api, dag_id)
    assert state == "success"
    changed = {table for table, content in ledgers.state().items() if content != after[table]}
    assert changed == {"runs", "run_tenants"}
    assert len(messages(stack.mail_folder)) == mails_before + len(recipients)


def test_a_month_of_billing(stack, api, ledgers):
    def posted(job, as_of):
        before, mails_before = ledgers.state(), len(messages(stack.mail_folder))
        run_id = api.trigger(BILLING, {"tenant": "sunset-ridge", "job": job, "as_of": as_of})
        assert api.wait_for_run(BILLING, run_id) == "success"
        states = api.task_states(BILLING, run_id)
        assert {task for task in JOBS[BILLING] if states[task] == "success"} == {job}
        again = api.trigger(BILLING, {"tenant": "sunset-ridge", "job": job, "as_of": as_of})
        after, mails = ledgers.state(), messages(stack.mail_folder)[mails_before:]
        assert api.wait_for_run(BILLING, again) == "success"
        changed = {table for table, content in ledgers.state().items() if content != after[table]}
        assert changed == {"runs", "run_tenants"}
        return after["invoices"].rows - before["invoices"].rows, mails

    invoices, mails = posted("generate_invoices", "2025-11-01")
    # Five billable units, one of them with two owners; one owner has no e-mail address.
    assert (invoices, len(mails)) == (6, 5)
    for mail in mails:
        (pdf,) = mail.iter_attachments()
        assert pdf.get_content().startswith(b"%PDF-")
    fees, _ = posted("assess_late_fees", "2025-11-06")
    assert fees == 6
    reminders, mails = posted("send_reminders", "2025-11-10")
    assert reminders == 0
    assert len(mails) == len({mail["To"] for mail in mails}) == 5


def test_contradictory_params_end_the_run_before_anything_is_touched(api, ledgers):
    before = ledgers.state()
    run_id, state = play(api, BUDGETS, warning_threshold=50, critical_threshold=40)
    assert state == "failed"
    assert api.task_states(BUDGETS, run_id) == {
        "check_params": "failed",
        "check_budget_variances": "upstream_failed",
        "deliver_messages": "skipped",
        "report": "skipped",
        "complete": "failed",
    }
    said = log(api, BUDGETS, run_id, "check_params")
    assert "critical_threshold (40) is below warning_threshold (50): raise one or lower the other" in said
    assert ledgers.state() == before


TASKS_TEST = """
import json, sys
from airflow.__main__ import main
for arguments in json.loads(sys.argv[1]):
    sys.argv = ["airflow", "tasks", "test", *arguments]
    print("@@@ tasks test", arguments, flush=True)
    main()
"""


JOBS = {
    VIOLATIONS: ["escalate_violations"],
    BUDGETS: ["check_budget_variances"],
    BILLING: ["generate_invoices", "assess_late_fees", "send_reminders"],
}


def test_every_task_passes_alone_and_in_any_order(stack, api):
    for dag_id in JOBS:
        # `airflow tasks test` makes a temporary run, which the scheduler would pick up.
        api.pause(dag_id)
    tasks = [
        (dag_id, task_id)
        for dag_id, jobs in JOBS.items()
        for task_id in ("check_params", *jobs, "deliver_messages", "report", "complete")
    ]
    calls = [[*task, AS_OF] for task in tasks]
    calls += [
        [*task, AS_OF, "--task-params", json.dumps({"dry_run": True, "tenant": "sunset-ridge"})] for task in tasks
    ]
    random.Random(7).shuffle(calls)  # noqa: S311 - an order, no secret
    tested = subprocess.run(
        [sys.executable, "-c", TASKS_TEST, json.dumps(calls)],
        env=stack.airflow.environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    output = tested.stdout + tested.stderr
    assert tested.returncode == 0, output[-5000:]
    assert output.count("@@@ tasks test") == len(calls)
    assert "Traceback" not in output


def test_one_association_s_mails_never_reach_another_s_people(stack):
    for mail in messages(stack.mail_folder):
        sunset = "Sunset Ridge" in str(mail["From"])
        address = mail["To"].addresses[0].addr_spec
        assert sunset == address.endswith((".sunset-ridge.example", "@sunset-ridge.example", "@example.com"))


def test_no_personal_data_in_logs_xcom_or_rendered_fields(stack):
    # Last in this file: what the tests before it ran is what is searched.
    logs = "".join(file.read_text(errors="replace") for file in stack.airflow.logs.rglob("*.log"))
    assert "VIOL-2025-001" in logs
    with psycopg.connect(stack.postgres.dsn("airflow")) as airflow:
        kept = str(airflow.execute("SELECT * FROM xcom").fetchall())
        kept += str(airflow.execute("SELECT * FROM rendered_task_instance_fields").fetchall())
    assert "violations" in kept
    for canary in CANARIES:
        assert canary not in logs
        assert canary not in kept
