-- check_budget_variances/plan: every line of an association's active budgets against the ledger, one row a line, with
-- its variance and what is to be done about it. The only place where the variance rules live.
WITH {% include 'check_budget_variances/recipients.sql' %},
lines AS (
    SELECT coalesce(budget_lines.id, budgets.id) AS item_id, budget_lines.id AS budget_line_id,
           budgets.id AS budget_id, budgets.name AS budget_name, budgets.period_label, budgets.starts_on,
           budgets.ends_on, budgets.basis, budgets.alert_floor, budgets.alert_cooldown_days,
           accounts.number AS account_number, accounts.name AS account_name, accounts.type AS account_type,
           budget_lines.account_id, budget_lines.budgeted AS full_budget, budget_lines.monthly_distribution,
           coalesce(budget_lines.warning_threshold, budgets.warning_threshold,
                    %(warning_threshold)s::numeric) AS warning_threshold,
           coalesce(budget_lines.critical_threshold, budgets.critical_threshold,
                    %(critical_threshold)s::numeric) AS critical_threshold
      FROM budgets
      LEFT JOIN budget_lines ON budget_lines.tenant_id = budgets.tenant_id AND budget_lines.budget_id = budgets.id
      LEFT JOIN accounts ON accounts.tenant_id = budget_lines.tenant_id AND accounts.id = budget_lines.account_id
     WHERE budgets.tenant_id = %(tenant_id)s
       AND budgets.status = 'active'
       AND (%(budget_id)s::uuid IS NULL OR budgets.id = %(budget_id)s)
),
budget_reached AS (
    -- How the budget spreads over the months of its period and how much of it the day has reached: a finished month
    -- counts whole, the current one by its days.
    SELECT lines.item_id,
           count(*) AS months,
           lines.basis = 'annual' OR lines.monthly_distribution IS NULL
               OR (cardinality(lines.monthly_distribution) = count(*)
                   AND sum(lines.monthly_distribution[month.position]) IS NOT DISTINCT FROM 100) AS well_distributed,
           CASE WHEN lines.monthly_distribution IS NULL THEN sum(month.reached) / count(*)
                ELSE sum(lines.monthly_distribution[month.position] * month.reached) / 100 END AS reached
      FROM lines
     CROSS JOIN LATERAL (
           SELECT position,
                  greatest(0, least(1,
                      (%(as_of)s::date - starts_on::date + 1)::numeric
                      / ((starts_on + interval '1 month')::date - starts_on::date))) AS reached
             FROM generate_series(lines.starts_on::timestamp, lines.ends_on, interval '1 month')
                  WITH ORDINALITY AS series (starts_on, position)) AS month
     GROUP BY lines.item_id, lines.basis, lines.monthly_distribution
),
measured AS (
    -- A third of a month is no decimal fraction: without the inner rounding half a cent may fall short of half a cent.
    SELECT lines.*, budget_reached.months, budget_reached.well_distributed,
           CASE WHEN lines.basis = 'to_date' AND budget_reached.well_distributed
                THEN round(round(lines.full_budget * budget_reached.reached, 12), 2)
                ELSE lines.full_budget END AS budgeted,
           CASE lines.account_type WHEN 'revenue' THEN ledger.credits - ledger.debits
                                   ELSE ledger.debits - ledger.credits END AS actual
      FROM lines
      JOIN budget_reached ON budget_reached.item_id = lines.item_id
     CROSS JOIN LATERAL (
           -- What closes a fiscal year empties the accounts, and is neither earned nor spent; nor is what reverses it.
           SELECT coalesce(sum(entry_lines.debit), 0) AS debits, coalesce(sum(entry_lines.credit), 0) AS credits
             FROM journal_entry_lines AS entry_lines
             JOIN journal_entries AS entries
               ON entries.tenant_id = entry_lines.tenant_id AND entries.id = entry_lines.entry_id
             LEFT JOIN journal_entries AS reversed
               ON reversed.tenant_id = entries.tenant_id AND reversed.id = entries.reverses_entry_id
            WHERE entry_lines.tenant_id = %(tenant_id)s
              AND entry_lines.account_id = lines.account_id
              AND entries.entry_date BETWEEN lines.starts_on AND least(lines.ends_on, %(as_of)s)
              AND 'closing' NOT IN (entries.source, coalesce(reversed.source, ''))) AS ledger
),
compared AS (
    SELECT measured.*, measured.actual - measured.budgeted AS variance,
           CASE measured.account_type WHEN 'revenue' THEN measured.budgeted - measured.actual
                                      ELSE measured.actual - measured.budgeted END AS unfavorable
      FROM measured
),
with_obstacles AS (
    -- A line that cannot be judged, or not yet, has amounts but no severity.
    SELECT compared.*, obstacle.action AS obstacle_action, obstacle.reason AS obstacle_reason
      FROM compared
      LEFT JOIN LATERAL (
           SELECT 'skip', 'the budget has no lines'
            WHERE budget_line_id IS NULL
            UNION ALL
           SELECT 'exception', 'account ' || account_number || ' is neither revenue nor expense'
            WHERE account_type NOT IN ('revenue', 'expense')
            UNION ALL
           SELECT 'exception', 'its monthly distribution must have ' || months || ' entries that add up to 100'
            WHERE NOT well_distributed
            UNION ALL
           SELECT 'skip', 'its period starts on ' || starts_on
            WHERE %(as_of)s < starts_on
            UNION ALL
           SELECT 'skip', 'revenue on the annual basis is judged after ' || ends_on
            WHERE account_type = 'revenue' AND basis = 'annual' AND unfavorable > 0 AND %(as_of)s <= ends_on
            LIMIT 1) AS obstacle (action, reason) ON true
),
rated AS (
    SELECT with_obstacles.*,
           CASE WHEN obstacle_action IS NOT NULL OR unfavorable <= 0 THEN NULL
                WHEN budgeted = 0 OR unfavorable * 100 >= critical_threshold * abs(budgeted) THEN 'critical'
                WHEN unfavorable * 100 >= warning_threshold * abs(budgeted) THEN 'warning'
           END AS severity
      FROM with_obstacles
),
judged AS (
    SELECT rated.*, verdict.action, verdict.reason
      FROM rated
     CROSS JOIN LATERAL (
           -- The last time, within the cooldown, that it was told as bad as it is now. One day is the least cooldown.
           SELECT max(alerts.alerted_on) AS alerted_on
             FROM budget_alerts AS alerts
            WHERE alerts.tenant_id = %(tenant_id)s
              AND alerts.budget_line_id = rated.budget_line_id
              AND alerts.alerted_on <= %(as_of)s
              AND alerts.alerted_on > %(as_of)s::date - greatest(rated.alert_cooldown_days, 1)
              AND alerts.unfavorable >= rated.unfavorable
              AND (alerts.severity = 'critical' OR rated.severity = 'warning')) AS told
     CROSS JOIN LATERAL (
           SELECT obstacle_action, obstacle_reason
            WHERE obstacle_action IS NOT NULL
            UNION ALL
           SELECT 'skip', 'on budget'
            WHERE rated.unfavorable = 0
            UNION ALL
           SELECT 'skip', 'favorable'
            WHERE rated.unfavorable < 0
            UNION ALL
           SELECT 'skip', 'within the thresholds'
            WHERE rated.severity IS NULL
            UNION ALL
           SELECT 'skip', 'below the floor of $' || alert_floor
            WHERE rated.unfavorable < alert_floor
            UNION ALL
           SELECT 'skip', 'already alerted on ' || told.alerted_on
            WHERE told.alerted_on IS NOT NULL
            UNION ALL
           SELECT 'exception', 'no treasurer or board contact has an e-mail address'
            WHERE NOT EXISTS (SELECT FROM recipients)
            UNION ALL
           SELECT 'post', NULL
            LIMIT 1) AS verdict (action, reason)
)
SELECT item_id, action, reason, budget_id, budget_name, period_label, starts_on, ends_on, basis, budget_line_id,
       account_number, account_name, budgeted, actual, variance, unfavorable,
       round(variance * 100 / nullif(abs(budgeted), 0), 1) AS variance_percent,
       severity, budgeted = 0 AND severity IS NOT NULL AS unbudgeted
  FROM judged
 ORDER BY budget_name, budget_id, account_number
