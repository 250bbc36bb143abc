-- generate_invoices/plan: what billing an association's recurring charges would do, one row per invoice, and one per
-- unit and month that is skipped with the reason. The billing rules live here and in what it includes.
WITH {% include 'generate_invoices/find_periods.sql' %},
{% include 'generate_invoices/find_charges.sql' %},
{% include 'generate_invoices/bill_units.sql' %},
{% include 'generate_invoices/apply_credit.sql' %},
{% include 'jobs/posting_accounts.sql' %},
revenue_accounts AS (
    -- A charge that names no account goes to the association's account for its kind.
    SELECT charged.charge_kind, charged.account_id AS own_account_id,
           CASE WHEN charged.account_id IS NULL
                THEN posting_account(%(tenant_id)s, posting_accounts.number, posting_accounts.name)
                ELSE posting_account(%(tenant_id)s, coalesce(accounts.number, charged.account_id::text),
                                     coalesce(accounts.name, 'named by a recurring charge')) END AS account_id
      FROM (SELECT DISTINCT bill_lines.charge_kind, bill_lines.account_id FROM bill_lines) AS charged
      JOIN posting_accounts
        ON posting_accounts.purpose = CASE charged.charge_kind WHEN 'assessment' THEN 'assessments'
                                                               WHEN 'special_assessment' THEN 'special_assessments'
                                                               ELSE charged.charge_kind END
      LEFT JOIN accounts ON accounts.tenant_id = %(tenant_id)s AND accounts.id = charged.account_id
),
lines_of_bills AS (
    -- Amounts as text: JSON's numbers are not exact everywhere.
    SELECT bill_lines.position,
           jsonb_agg(jsonb_build_object(
               'line_number', bill_lines.line_number,
               'charge_kind', bill_lines.charge_kind,
               'description', bill_lines.description,
               'amount', bill_lines.amount::text,
               'account_id', revenue_accounts.account_id) ORDER BY bill_lines.line_number) AS lines
      FROM bill_lines
      JOIN revenue_accounts
        ON revenue_accounts.charge_kind = bill_lines.charge_kind
       AND revenue_accounts.own_account_id IS NOT DISTINCT FROM bill_lines.account_id
     GROUP BY bill_lines.position
)
SELECT bills.item_id, bills.action, bills.reason, bills.unit_id, bills.unit_number, bills.owner_id,
       bills.percentage, bills.period, bills.due_date, bills.closes_period, bills.amount, lines_of_bills.lines,
       coalesce(credited.to_this_invoice, 0) AS credit_applied,
       bills.amount - coalesce(credited.to_this_invoice, 0) AS balance_due,
       coalesce(credited.to_earlier_invoices, 0) AS credit_to_earlier,
       credited.earlier_numbers, credited.applications,
       CASE WHEN bills.action = 'post' THEN
           (SELECT posting_account(%(tenant_id)s, number, name) FROM posting_accounts WHERE purpose = 'receivables')
       END AS receivable_account_id,
       CASE WHEN credited.applications IS NOT NULL THEN
           (SELECT posting_account(%(tenant_id)s, number, name) FROM posting_accounts WHERE purpose = 'prepayments')
       END AS prepayments_account_id
  FROM bills
  LEFT JOIN lines_of_bills ON lines_of_bills.position = bills.position
  LEFT JOIN credited ON credited.position = bills.position
 ORDER BY bills.position
