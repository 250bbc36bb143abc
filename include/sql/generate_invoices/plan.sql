-- generate_invoices/plan: what billing an association's monthly assessments would do, one row per invoice, and one per
-- unit and month that is skipped with the reason. The billing rules live here and in what it includes.
WITH {% include 'generate_invoices/find_periods.sql' %},
{% include 'generate_invoices/bill_units.sql' %},
{% include 'generate_invoices/apply_credit.sql' %},
{% include 'jobs/posting_accounts.sql' %}
SELECT bills.item_id, bills.action, bills.reason, bills.unit_id, bills.unit_number, bills.owner_id,
       bills.percentage, bills.period, bills.due_date, bills.closes_period, bills.amount,
       coalesce(credited.to_this_invoice, 0) AS credit_applied,
       bills.amount - coalesce(credited.to_this_invoice, 0) AS balance_due,
       coalesce(credited.to_earlier_invoices, 0) AS credit_to_earlier,
       credited.earlier_numbers, credited.applications,
       CASE WHEN bills.action = 'post' THEN
           (SELECT posting_account(%(tenant_id)s, number, name) FROM posting_accounts WHERE purpose = 'receivables')
       END AS receivable_account_id,
       CASE WHEN bills.action = 'post' THEN
           (SELECT posting_account(%(tenant_id)s, number, name) FROM posting_accounts WHERE purpose = 'assessments')
       END AS revenue_account_id,
       CASE WHEN credited.applications IS NOT NULL THEN
           (SELECT posting_account(%(tenant_id)s, number, name) FROM posting_accounts WHERE purpose = 'prepayments')
       END AS prepayments_account_id
  FROM bills
  LEFT JOIN credited ON credited.position = bills.position
 ORDER BY bills.position
