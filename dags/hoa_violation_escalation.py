"""
### Violation escalation

Every day at 6:00 a.m., takes each violation whose cure deadline has passed one step further: records the escalation,
posts the fine with its journal entry, and notifies the unit's owners.

To see what a run would do, trigger it with **Dry run**. The report is in the log of `escalate_violations`.
"""

from airflow.sdk import DAG, TriggerRule, chain
from airflow.timetables.trigger import CronTriggerTimetable

from hoa_ops.jobs import ESCALATE_VIOLATIONS, jobs_of
from hoa_ops.monitoring.alerts.late_run import deadline_alerts
from hoa_ops.operators.check_params import CheckParamsOperator
from hoa_ops.operators.complete_run import CompleteRunOperator
from hoa_ops.operators.dag_defaults import dag_defaults, dag_docs, job_task
from hoa_ops.operators.dag_params import dag_params
from hoa_ops.operators.deliver_messages import DeliverMessagesOperator
from hoa_ops.operators.escalate_violations import EscalateViolationsOperator
from hoa_ops.operators.print_report import PrintReportOperator
from hoa_ops.settings import get_settings

JOBS = jobs_of("hoa_violation_escalation")

with DAG(
    dag_id="hoa_violation_escalation",
    dag_display_name="Violation escalation",
    description="Escalate overdue violations, post fines, notify owners",
    doc_md=dag_docs(__doc__, JOBS),
    schedule=CronTriggerTimetable(ESCALATE_VIOLATIONS.cron, timezone=get_settings().timezone),
    params=dag_params(ESCALATE_VIOLATIONS.request),
    tags=["hoa", "violations"],
    deadline=deadline_alerts("hoa_violation_escalation", get_settings().deadline_minutes_violation_escalation),
    **dag_defaults(),
):
    check_params = CheckParamsOperator(task_id="check_params", jobs=JOBS)
    escalate_violations = job_task(EscalateViolationsOperator)
    # A job that fails or is not due does not hold up the rest; the last task fails the run.
    deliver_messages = DeliverMessagesOperator(task_id="deliver_messages", jobs=JOBS, trigger_rule=TriggerRule.ALL_DONE)
    report = PrintReportOperator(task_id="report", jobs=JOBS, trigger_rule=TriggerRule.ALL_DONE)
    complete = CompleteRunOperator(task_id="complete", trigger_rule=TriggerRule.ALL_DONE, on_failure_callback=None)

    chain(check_params, escalate_violations, deliver_messages, report, complete)
