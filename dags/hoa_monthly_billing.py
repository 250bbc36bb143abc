"""
### Monthly billing

Three jobs in one DAG, each on its own schedule: invoices for the monthly assessments on the 1st at 2:00 a.m., late fees
on the 6th at 3:00 a.m., payment reminders every Monday at 8:00 a.m.

A run does every job that is due and not yet done, so the first run after a pause or an outage catches up on what
was missed. The other jobs are skipped, and their logs say why. A run with a **Job** does only that job.

A unit that needs attention does not fail the task: it is in the report. Once it is fixed, trigger a run with the job
**Monthly invoices**, and with the **Billing month** if that month is over.

To see what a run would do, trigger it with **Dry run**. The reports are in the logs of the three jobs.
"""

from airflow.sdk import DAG, TaskGroup, TriggerRule, chain
from airflow.timetables.trigger import MultipleCronTriggerTimetable

from hoa_ops.jobs import jobs_of
from hoa_ops.jobs.billing import BillingRequest
from hoa_ops.monitoring.alerts.late_run import deadline_alerts
from hoa_ops.operators.assess_late_fees import AssessLateFeesOperator
from hoa_ops.operators.check_params import CheckParamsOperator
from hoa_ops.operators.complete_run import CompleteRunOperator
from hoa_ops.operators.dag_defaults import dag_defaults, dag_docs, job_task
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
    doc_md=dag_docs(__doc__, JOBS),
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
    # A job that fails or is not due does not hold up the rest; the last task fails the run.
    deliver_messages = DeliverMessagesOperator(task_id="deliver_messages", jobs=JOBS, trigger_rule=TriggerRule.ALL_DONE)
    report = PrintReportOperator(task_id="report", jobs=JOBS, trigger_rule=TriggerRule.ALL_DONE)
    complete = CompleteRunOperator(task_id="complete", trigger_rule=TriggerRule.ALL_DONE, on_failure_callback=None)

    chain(check_params, jobs, deliver_messages, report, complete)
