"""
### Monthly billing

Three jobs in one DAG, each at its own time: invoices for the monthly assessments on the 1st at 2:00, late fees on the
6th at 3:00, payment reminders every Monday at 8:00. A run does whichever of them is due and not yet done, so that after
a pause or an outage the next run makes good what was missed; the others are skipped, and their log says why. A run with
a **Job** does that job only.

#### When a task fails

- `check_params`: the run was refused because of its params; the log says why behind “This run was refused” (a long
  line: the log's settings wrap it). Trigger it again.
- `generate_invoices`, `assess_late_fees`, `send_reminders`: the log names each association that could not be posted and
  why. The others are done, and so are the other jobs. Mend the cause and clear the task: it posts only what is missing.
  The next scheduled run does it as well, by itself.
- `deliver_messages`: the mail server refused or put off messages. They stay in the outbox; clear the task when the
  server is back. Nothing is sent twice.

A unit that needs attention does not fail the task: see the report. Once it is mended, trigger a run with the **Job**
“Generate invoices”, and with the **Billing month** if that is over.

Look before you leap: trigger it with **Dry run**; the reports are in the logs of the three jobs.
"""

from airflow.sdk import DAG, TaskGroup, TriggerRule, chain
from airflow.timetables.trigger import MultipleCronTriggerTimetable

from hoa_ops.jobs import jobs_of
from hoa_ops.jobs.billing import BillingRequest
from hoa_ops.monitoring.alerts.late_run import deadline_alerts
from hoa_ops.operators.assess_late_fees import AssessLateFeesOperator
from hoa_ops.operators.check_params import CheckParamsOperator
from hoa_ops.operators.complete_run import CompleteRunOperator
from hoa_ops.operators.dag_defaults import dag_defaults, job_task
from hoa_ops.operators.dag_params import dag_params
from hoa_ops.operators.deliver_messages import DeliverMessagesOperator
from hoa_ops.operators.generate_invoices import GenerateInvoicesOperator
from hoa_ops.operators.print_report import PrintReportOperator
from hoa_ops.operators.send_reminders import SendRemindersOperator
from hoa_ops.settings import get_settings

JOBS = jobs_of("hoa_monthly_billing")

with DAG(
    dag_id="hoa_monthly_billing",
    dag_display_name="Monthly billing",
    description="Invoice assessments, charge late fees, send payment reminders",
    doc_md=__doc__,
    schedule=MultipleCronTriggerTimetable(*(job.cron for job in JOBS), timezone=get_settings().timezone),
    params=dag_params(BillingRequest),
    tags=["hoa", "billing"],
    deadline=deadline_alerts("hoa_monthly_billing", get_settings().deadline_minutes_monthly_billing),
    **dag_defaults(),
):
    check_params = CheckParamsOperator(task_id="check_params", jobs=JOBS)
    with TaskGroup("jobs", prefix_group_id=False, tooltip="Each job that is due, one after the other") as jobs:
        chain(
            job_task(GenerateInvoicesOperator),
            job_task(AssessLateFeesOperator, trigger_rule=TriggerRule.ALL_DONE),
            job_task(SendRemindersOperator, trigger_rule=TriggerRule.ALL_DONE),
        )
    # A job that fails, or is not due, keeps nobody else from their work; the last task fails the run.
    deliver_messages = DeliverMessagesOperator(task_id="deliver_messages", jobs=JOBS, trigger_rule=TriggerRule.ALL_DONE)
    report = PrintReportOperator(task_id="report", jobs=JOBS, trigger_rule=TriggerRule.ALL_DONE)
    complete = CompleteRunOperator(task_id="complete", trigger_rule=TriggerRule.ALL_DONE, on_failure_callback=None)

    chain(check_params, jobs, deliver_messages, report, complete)
