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

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, TriggerRule, cross_downstream
from airflow.timetables.trigger import MultipleCronTriggerTimetable

from hoa_ops.jobs.run_request import BillingRequest, dag_params
from hoa_ops.jobs.schedule import CRON
from hoa_ops.monitoring.alerts.late_run import deadline_alerts
from hoa_ops.operators.assess_late_fees import AssessLateFeesOperator
from hoa_ops.operators.check_params import CheckParamsOperator
from hoa_ops.operators.dag_defaults import dag_defaults, per_shard
from hoa_ops.operators.deliver_messages import DeliverMessagesOperator
from hoa_ops.operators.generate_invoices import GenerateInvoicesOperator
from hoa_ops.operators.notice_killed_tasks import NoticeKilledTasksOperator
from hoa_ops.operators.print_report import PrintReportOperator
from hoa_ops.operators.send_reminders import SendRemindersOperator
from hoa_ops.settings import get_settings

with DAG(
    dag_id="hoa_monthly_billing",
    description="Invoice assessments, charge late fees, send payment reminders",
    doc_md=__doc__,
    schedule=MultipleCronTriggerTimetable(
        *(CRON[job] for job in BillingRequest.jobs), timezone=get_settings().timezone
    ),
    params=dag_params(BillingRequest),
    tags=["hoa", "billing"],
    deadline=deadline_alerts("hoa_monthly_billing", get_settings().deadline_minutes_monthly_billing),
    **dag_defaults(),
):
    check_params = CheckParamsOperator(task_id="check_params", request_model=BillingRequest)
    generate_invoices = per_shard(
        GenerateInvoicesOperator,
        task_id="generate_invoices",
        lock_sql="generate_invoices/lock.sql",
        plan_sql="generate_invoices/plan.sql",
        post_sql="generate_invoices/post.sql",
        messages_sql="generate_invoices/messages.sql",
    )
    assess_late_fees = per_shard(
        AssessLateFeesOperator,
        task_id="assess_late_fees",
        plan_sql="assess_late_fees/plan.sql",
        post_sql="assess_late_fees/post.sql",
        messages_sql="assess_late_fees/messages.sql",
    )
    send_reminders = per_shard(
        SendRemindersOperator,
        task_id="send_reminders",
        plan_sql="send_reminders/plan.sql",
        post_sql="send_reminders/post.sql",
        messages_sql="send_reminders/messages.sql",
    )
    # One job that fails, or is skipped because it is not due, does not stop what comes after it. No single trigger rule
    # says that and still stops everything when the params are refused.
    after_invoices, after_late_fees, after_reminders = (
        EmptyOperator(task_id=f"after_{job}", trigger_rule=TriggerRule.ALL_DONE) for job in BillingRequest.jobs
    )
    deliver_messages = DeliverMessagesOperator(task_id="deliver_messages", request_model=BillingRequest)
    report = PrintReportOperator(
        task_id="report", request_model=BillingRequest, trigger_rule=TriggerRule.ALL_DONE_MIN_ONE_SUCCESS
    )
    # The run is as good as its worst task.
    complete = EmptyOperator(task_id="complete", trigger_rule=TriggerRule.NONE_FAILED)
    notice_killed_tasks = NoticeKilledTasksOperator(task_id="notice_killed_tasks", trigger_rule=TriggerRule.ONE_FAILED)

    jobs = [generate_invoices, assess_late_fees, send_reminders]
    check_params >> [*jobs, deliver_messages, report]
    generate_invoices >> after_invoices >> assess_late_fees >> after_late_fees >> send_reminders >> after_reminders
    after_reminders >> deliver_messages >> report
    cross_downstream([*jobs, deliver_messages, report], [complete, notice_killed_tasks])
