"""
### Budget variance

Every Monday at 9:00, compares each line of the active budgets with the ledger and tells treasurer and board of the
lines that have run away from their budget.

#### When a task fails

- `check_params`: the run was refused because of its params; the log says why behind “This run was refused” (a long
  line: the log's settings wrap it). Trigger it again.
- `check_budget_variances`: the log names each association that could not be checked and why. The others are done. Mend
  the cause and clear the task: it alerts only what was not alerted yet.
- `deliver_messages`: the mail server refused or put off messages. They stay in the outbox; clear the task when the
  server is back. Nothing is sent twice.

Look before you leap: trigger it with **Dry run**; the report is in the log of `check_budget_variances`.
"""

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, TriggerRule, cross_downstream
from airflow.timetables.trigger import CronTriggerTimetable

from hoa_ops.jobs.run_request import BudgetVarianceRequest, dag_params
from hoa_ops.jobs.schedule import CRON, Job
from hoa_ops.monitoring.alerts.late_run import deadline_alerts
from hoa_ops.operators.check_budget_variances import CheckBudgetVariancesOperator
from hoa_ops.operators.check_params import CheckParamsOperator
from hoa_ops.operators.dag_defaults import dag_defaults, per_shard
from hoa_ops.operators.deliver_messages import DeliverMessagesOperator
from hoa_ops.operators.notice_killed_tasks import NoticeKilledTasksOperator
from hoa_ops.operators.print_report import PrintReportOperator
from hoa_ops.settings import get_settings

with DAG(
    dag_id="hoa_budget_variance",
    description="Compare budgets with the ledger, alert treasurer and board",
    doc_md=__doc__,
    schedule=CronTriggerTimetable(CRON[Job.CHECK_BUDGET_VARIANCES], timezone=get_settings().timezone),
    params=dag_params(BudgetVarianceRequest),
    tags=["hoa", "budgets"],
    deadline=deadline_alerts("hoa_budget_variance", get_settings().deadline_minutes_budget_variance),
    **dag_defaults(),
):
    check_params = CheckParamsOperator(task_id="check_params", request_model=BudgetVarianceRequest)
    check_budget_variances = per_shard(
        CheckBudgetVariancesOperator,
        task_id="check_budget_variances",
        plan_sql="check_budget_variances/plan.sql",
        post_sql="check_budget_variances/post.sql",
        messages_sql="check_budget_variances/messages.sql",
    )
    # What was recorded is delivered and reported even if another association could not be checked.
    deliver_messages = DeliverMessagesOperator(
        task_id="deliver_messages",
        request_model=BudgetVarianceRequest,
        trigger_rule=TriggerRule.ALL_DONE_MIN_ONE_SUCCESS,
    )
    report = PrintReportOperator(
        task_id="report",
        request_model=BudgetVarianceRequest,
        trigger_rule=TriggerRule.ALL_DONE_MIN_ONE_SUCCESS,
    )
    # The run is as good as its worst task.
    complete = EmptyOperator(task_id="complete", trigger_rule=TriggerRule.NONE_FAILED)
    notice_killed_tasks = NoticeKilledTasksOperator(task_id="notice_killed_tasks", trigger_rule=TriggerRule.ONE_FAILED)

    check_params >> check_budget_variances >> deliver_messages >> report
    check_params >> [deliver_messages, report]
    cross_downstream([check_budget_variances, deliver_messages, report], [complete, notice_killed_tasks])
