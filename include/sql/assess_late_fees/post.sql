-- assess_late_fees/post: carries out the plan: one fee invoice per overdue invoice, with its journal entry.
WITH planned AS MATERIALIZED (
{% include 'assess_late_fees/plan.sql' %}
),
invoices_to_post AS (
    SELECT 'late_fee' AS kind, planned.unit_id, planned.owner_id, %(as_of)s::date AS invoice_date,
           planned.fee_due_date AS due_date, planned.period, planned.late_fee AS amount,
           'Late fee for ' || planned.invoice_number || ', ' || planned.days_overdue || ' days overdue, balance '
               || planned.balance AS description,
           planned.receivable_account_id, planned.revenue_account_id,
           planned.item_id AS late_fee_of_invoice_id, NULL::uuid AS violation_escalation_id,
           row_number() OVER (
               ORDER BY natural_order(planned.unit_number), planned.due_date, planned.item_id) AS position
      FROM planned
     WHERE planned.action = 'post'
),
{% include 'engine/post_invoices.sql' %}
SELECT planned.*, invoiced.invoice_id AS reference_id, invoiced.number AS fee_number
  FROM planned
  LEFT JOIN invoiced ON invoiced.late_fee_of_invoice_id = planned.item_id
 ORDER BY natural_order(planned.unit_number), planned.due_date, planned.item_id
