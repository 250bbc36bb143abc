-- check_budget_variances/messages: the facts of the mails about this run's alerts, one row per alert and contact.
WITH {% include 'check_budget_variances/recipients.sql' %}
SELECT alerts.alert_id AS reference_id, recipients.contact_id AS recipient_id, recipients.full_name AS recipient_name,
       recipients.email, NULL AS postal_address, NULL AS preference, true AS must_be_served,
       tenants.name AS tenant_name, budgets.name AS budget_name, budgets.period_label, budgets.basis,
       alerts.alerted_on, alerts.lines
  FROM (SELECT budget_alerts.alert_id, budget_alerts.alerted_on, budget_lines.budget_id,
               jsonb_agg(jsonb_build_object(
                   'account_name', accounts.name,
                   'budgeted', budget_alerts.budgeted::text,
                   'actual', budget_alerts.actual::text,
                   'variance', (budget_alerts.actual - budget_alerts.budgeted)::text,
                   'variance_percent', round((budget_alerts.actual - budget_alerts.budgeted) * 100
                                             / nullif(abs(budget_alerts.budgeted), 0), 1)::text,
                   'severity', budget_alerts.severity) ORDER BY accounts.number) AS lines
          FROM budget_alerts
          JOIN budget_lines
            ON budget_lines.tenant_id = budget_alerts.tenant_id AND budget_lines.id = budget_alerts.budget_line_id
          JOIN accounts ON accounts.tenant_id = budget_lines.tenant_id AND accounts.id = budget_lines.account_id
         WHERE budget_alerts.tenant_id = %(tenant_id)s
           AND budget_alerts.run_id = %(run_id)s
         GROUP BY budget_alerts.alert_id, budget_alerts.alerted_on, budget_lines.budget_id) AS alerts
  JOIN budgets ON budgets.tenant_id = %(tenant_id)s AND budgets.id = alerts.budget_id
  JOIN tenants ON tenants.id = budgets.tenant_id
 CROSS JOIN recipients
 ORDER BY budgets.name, recipients.role DESC, recipients.contact_id
