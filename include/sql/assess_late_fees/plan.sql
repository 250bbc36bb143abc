-- assess_late_fees/plan: what assessing an association's late fees would do, one row per overdue assessment invoice,
-- with the reason for each that is skipped. The only place where the late-fee rules live. An association without a
-- rule to go by has one row that says so.
WITH {% include 'jobs/effective_balances.sql' %},
{% include 'jobs/holds_in_force.sql' %},
rule AS (
    SELECT late_fee_rules.*, count(*) OVER (PARTITION BY late_fee_rules.effective_from) AS same_day_rules
      FROM late_fee_rules
     WHERE late_fee_rules.tenant_id = %(tenant_id)s
       AND late_fee_rules.effective_from <= %(as_of)s
       AND (late_fee_rules.effective_to IS NULL OR late_fee_rules.effective_to >= %(as_of)s)
     ORDER BY late_fee_rules.effective_from DESC
     LIMIT 1
),
overdue AS (
    SELECT coalesce(invoices.invoice_id, tenants.id) AS item_id, invoices.number AS invoice_number,
           invoices.unit_id, units.unit_number, invoices.owner_id, invoices.due_date,
           %(as_of)s::date - invoices.due_date AS days_overdue,
           invoices.balance AS open_balance, invoices.effective_balance AS balance,
           holds_in_force.exemption,
           rule.id AS rule_id, rule.same_day_rules, rule.effective_from, rule.minimum_balance, rule.fee_cap,
           -- An owner billed late has the whole grace all the same: it counts from the run that billed him.
           greatest(invoices.due_date, billing_run.as_of)
               + greatest(coalesce(%(days_grace)s::integer, rule.grace_days), 1) AS not_before,
           CASE rule.frequency WHEN 'monthly' THEN date_trunc('month', %(as_of)s::date)::date END AS period,
           %(as_of)s::date + tenants.payment_terms_days AS fee_due_date,
           CASE rule.fee_type WHEN 'flat' THEN rule.flat_amount
                              WHEN 'percentage' THEN share.amount
                              WHEN 'both' THEN rule.flat_amount + share.amount
                              WHEN 'greater' THEN greatest(rule.flat_amount, share.amount) END AS uncapped_fee
      FROM tenants
      LEFT JOIN rule ON true
      LEFT JOIN effective_balances AS invoices
        ON rule.same_day_rules = 1
       AND invoices.kind = 'assessment'
       AND invoices.due_date < %(as_of)s
      LEFT JOIN invoices AS documents ON documents.tenant_id = tenants.id AND documents.id = invoices.invoice_id
      LEFT JOIN runs AS billing_run ON billing_run.id = documents.run_id
      LEFT JOIN units ON units.tenant_id = tenants.id AND units.id = invoices.unit_id
      LEFT JOIN holds_in_force ON holds_in_force.owner_id = invoices.owner_id
     CROSS JOIN LATERAL (SELECT round(invoices.effective_balance * rule.percentage / 100, 2)) AS share (amount)
     WHERE tenants.id = %(tenant_id)s
       AND (invoices.invoice_id IS NOT NULL OR rule.same_day_rules IS DISTINCT FROM 1)
),
priced AS (
    -- A null cap is ignored by least(). A fee that a person or another rule charged counts for the month of its date.
    SELECT overdue.*, least(overdue.uncapped_fee, overdue.fee_cap) AS late_fee, charged.number AS charged_as
      FROM overdue
      LEFT JOIN LATERAL (
           SELECT fees.number
             FROM invoices AS fees
            WHERE fees.tenant_id = %(tenant_id)s
              AND fees.kind = 'late_fee'
              AND fees.status <> 'void'
              AND fees.late_fee_of_invoice_id = overdue.item_id
              AND (overdue.period IS NULL
                   OR overdue.period = coalesce(fees.period, date_trunc('month', fees.invoice_date)::date))
            ORDER BY fees.invoice_date DESC, fees.id DESC
            LIMIT 1) AS charged ON true
),
judged AS (
    SELECT priced.*, verdict.action, verdict.reason
      FROM priced
     CROSS JOIN LATERAL (
           SELECT 'skip', 'no late-fee rule is in force on ' || %(as_of)s::date
            WHERE rule_id IS NULL
            UNION ALL
           SELECT 'exception', same_day_rules || ' late-fee rules took effect on the same day, ' || effective_from
                               || ': end all but one'
            WHERE same_day_rules > 1
            UNION ALL
           SELECT 'skip', 'covered by unapplied payments'
            WHERE balance = 0
            UNION ALL
           SELECT 'skip', 'within its grace, no fee before ' || not_before
            WHERE %(as_of)s < not_before
            UNION ALL
           SELECT 'skip', exemption
            WHERE exemption IS NOT NULL
            UNION ALL
           SELECT 'skip', 'due before the rule took effect on ' || effective_from
            WHERE due_date < effective_from
            UNION ALL
           SELECT 'skip', 'already charged, ' || charged_as
            WHERE charged_as IS NOT NULL
            UNION ALL
           SELECT 'skip', 'balance below the minimum of ' || minimum_balance
            WHERE balance < minimum_balance
            UNION ALL
           SELECT 'skip', 'the fee comes to less than a cent'
            WHERE late_fee = 0
            UNION ALL
           SELECT 'post', NULL
            LIMIT 1) AS verdict (action, reason)
),
{% include 'jobs/posting_accounts.sql' %}
SELECT item_id, action, reason, invoice_number, unit_id, unit_number, owner_id, due_date, days_overdue, open_balance,
       balance, period,
       CASE WHEN action = 'post' THEN late_fee END AS late_fee,
       CASE WHEN action = 'post' AND late_fee < uncapped_fee THEN uncapped_fee END AS uncapped_fee,
       CASE WHEN action = 'post' THEN fee_due_date END AS fee_due_date,
       CASE WHEN action = 'post' THEN
           (SELECT posting_account(%(tenant_id)s, number, name) FROM posting_accounts WHERE purpose = 'receivables')
       END AS receivable_account_id,
       CASE WHEN action = 'post' THEN
           (SELECT posting_account(%(tenant_id)s, number, name) FROM posting_accounts WHERE purpose = 'late_fees')
       END AS revenue_account_id
  FROM judged
 ORDER BY natural_order(unit_number), due_date, item_id
