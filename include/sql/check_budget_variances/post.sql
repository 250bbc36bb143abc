-- check_budget_variances/post: carries out the plan: records the alerts, one alert_id per budget.
WITH planned AS MATERIALIZED (
{% include 'check_budget_variances/plan.sql' %}
),
alerts AS MATERIALIZED (
    SELECT budget_id, uuidv7() AS alert_id
      FROM planned
     WHERE action = 'post'
     GROUP BY budget_id
),
recorded AS (
    INSERT INTO budget_alerts (tenant_id, budget_line_id, alerted_on, severity, budgeted, actual, unfavorable, alert_id,
                               run_id)
    SELECT %(tenant_id)s, planned.budget_line_id, %(as_of)s, planned.severity, planned.budgeted, planned.actual,
           planned.unfavorable, alerts.alert_id, %(run_id)s
      FROM planned
      JOIN alerts ON alerts.budget_id = planned.budget_id
     WHERE planned.action = 'post'
)
SELECT planned.*, CASE WHEN planned.action = 'post' THEN alerts.alert_id END AS reference_id
  FROM planned
  LEFT JOIN alerts ON alerts.budget_id = planned.budget_id
 ORDER BY planned.budget_name, planned.budget_id, planned.account_number
