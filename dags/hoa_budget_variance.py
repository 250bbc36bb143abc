"""
### Budget variance

Every Monday at 9:00 a.m., compares every line of the active budgets with the ledger, and e-mails the treasurer and the
board about lines that are over their thresholds.

To see what a run would alert, trigger it with **Dry run**. The report is in the log of `check_budget_variances`.
"""

from airflow.sdk import DAG, TriggerRule, chain
from airflow.timetables.trigger import CronTriggerTimetable

from hoa_ops.jobs import CHECK_BUDGET_VARIANCES, jobs_of
from hoa_ops.monitoring.alerts.late_run import deadline_alerts
from hoa_ops.operators.check_budget_variances import CheckBudgetVariancesOperator
from hoa_ops.operators.check_params import CheckParamsOperator
from hoa_ops.operators.complete_run import CompleteRunOperator
from hoa_ops.operators.dag_defaults import dag_defaults, dag_docs, job_task
from hoa_ops.operators.dag_params import dag_params
from hoa_ops.operators.deliver_messages import DeliverMessagesOperator
from hoa_ops.operators.print_report import PrintReportOperator
from hoa_ops.settings import get_settings

JOBS = jobs_of("hoa_budget_variance")

with DAG(
    dag_id="hoa_budget_variance",
    dag_display_name="Budget variances",
    description="Compare budgets with the ledger, alert treasurer and board",
    doc_md=dag_docs(__doc__, JOBS),
    schedule=CronTriggerTimetable(CHECK_BUDGET_VARIANCES.cron, timezone=get_settings().timezone),
    params=dag_params(CHECK_BUDGET_VARIANCES.request),
    tags=["hoa", "budgets"],
    deadline=deadline_alerts("hoa_budget_variance", get_settings().deadline_minutes_budget_variance),
    **dag_defaults(),
):
    check_params = CheckParamsOperator(task_id="check_params", jobs=JOBS)
    check_budget_variances = job_task(CheckBudgetVariancesOperator)
    # A job that fails or is not due does not hold up the rest; the last task fails the run.
    deliver_messages = DeliverMessagesOperator(task_id="deliver_messages", jobs=JOBS, trigger_rule=TriggerRule.ALL_DONE)
    report = PrintReportOperator(task_id="report", jobs=JOBS, trigger_rule=TriggerRule.ALL_DONE)
    complete = CompleteRunOperator(task_id="complete", trigger_rule=TriggerRule.ALL_DONE, on_failure_callback=None)

    chain(check_params, check_budget_variances, deliver_messages, report, complete)
