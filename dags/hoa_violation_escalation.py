"""
### Violation escalation

Every morning at 6:00, takes each violation whose cure deadline has passed one step further: records the escalation,
posts the fine with its journal entry, and writes to the unit's owners.

#### When a task fails

- `check_params`: the run was refused because of its params; the log says why behind “This run was refused” (a long
  line: the log's settings wrap it). Trigger it again.
- `escalate_violations`: the log names each association that could not be posted and why. The others are done. Mend the
  cause and clear the task: it posts only what is missing.
- `deliver_messages`: the mail server refused or put off messages. They stay in the outbox; clear the task when the
  server is back. Nothing is sent twice.

Look before you leap: trigger it with **Dry run**; the report is in the log of `escalate_violations`.
"""

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, TriggerRule, cross_downstream
from airflow.timetables.trigger import CronTriggerTimetable

from hoa_ops.jobs.run_request import EscalationRequest, dag_params
from hoa_ops.jobs.schedule import CRON, Job
from hoa_ops.monitoring.alerts.late_run import deadline_alerts
from hoa_ops.operators.check_params import CheckParamsOperator
from hoa_ops.operators.dag_defaults import dag_defaults, per_shard
from hoa_ops.operators.deliver_messages import DeliverMessagesOperator
from hoa_ops.operators.escalate_violations import EscalateViolationsOperator
from hoa_ops.operators.notice_killed_tasks import NoticeKilledTasksOperator
from hoa_ops.operators.print_report import PrintReportOperator
from hoa_ops.settings import get_settings

with DAG(
    dag_id="hoa_violation_escalation",
    description="Escalate overdue violations, post fines, notify owners",
    doc_md=__doc__,
    schedule=CronTriggerTimetable(CRON[Job.ESCALATE_VIOLATIONS], timezone=get_settings().timezone),
    params=dag_params(EscalationRequest),
    tags=["hoa", "violations"],
    deadline=deadline_alerts("hoa_violation_escalation", get_settings().deadline_minutes_violation_escalation),
    **dag_defaults(),
):
    check_params = CheckParamsOperator(task_id="check_params", request_model=EscalationRequest)
    escalate_violations = per_shard(
        EscalateViolationsOperator,
        task_id="escalate_violations",
        lock_sql="escalate_violations/lock.sql",
        plan_sql="escalate_violations/plan.sql",
        post_sql="escalate_violations/post.sql",
        messages_sql="escalate_violations/messages.sql",
    )
    # What was posted is delivered and reported even if another association could not be posted.
    deliver_messages = DeliverMessagesOperator(
        task_id="deliver_messages",
        request_model=EscalationRequest,
        trigger_rule=TriggerRule.ALL_DONE_MIN_ONE_SUCCESS,
    )
    report = PrintReportOperator(
        task_id="report",
        request_model=EscalationRequest,
        trigger_rule=TriggerRule.ALL_DONE_MIN_ONE_SUCCESS,
    )
    # The run is as good as its worst task.
    complete = EmptyOperator(task_id="complete", trigger_rule=TriggerRule.NONE_FAILED)
    notice_killed_tasks = NoticeKilledTasksOperator(task_id="notice_killed_tasks", trigger_rule=TriggerRule.ONE_FAILED)

    check_params >> escalate_violations >> deliver_messages >> report
    check_params >> [deliver_messages, report]
    cross_downstream([escalate_violations, deliver_messages, report], [complete, notice_killed_tasks])
