-- escalate_violations/post: carries out the plan: escalations, violation status, fine invoices and their journal
-- entries.
WITH planned AS MATERIALIZED (
{% include 'escalate_violations/plan.sql' %}
),
escalations AS (
    INSERT INTO violation_escalations (tenant_id, violation_id, step, step_name, escalated_on, scheduled_fine, fine,
                                       run_id)
    SELECT %(tenant_id)s, item_id, step, step_name, %(as_of)s, scheduled_fine, fine, %(run_id)s
      FROM planned
     WHERE action = 'post'
    RETURNING id, violation_id
),
escalated AS (
    UPDATE violations
       SET status = 'escalated'
      FROM escalations
     WHERE violations.tenant_id = %(tenant_id)s
       AND violations.id = escalations.violation_id
),
invoices_to_post AS (
    SELECT 'fine' AS kind, planned.unit_id, share.owner_id, %(as_of)s::date AS invoice_date, planned.due_date,
           NULL::date AS period, share.amount,
           'Fine for ' || planned.violation_number || ', ' || planned.step_name AS description,
           planned.receivable_account_id, planned.revenue_account_id,
           NULL::uuid AS late_fee_of_invoice_id, escalations.id AS violation_escalation_id,
           row_number() OVER (ORDER BY natural_order(planned.violation_number), share.owner_id) AS position
      FROM planned
      JOIN escalations ON escalations.violation_id = planned.item_id
     CROSS JOIN LATERAL jsonb_to_recordset(planned.shares) AS share (owner_id uuid, amount numeric(15,2))
     WHERE share.amount > 0
),
{% include 'engine/post_invoices.sql' %}
SELECT planned.*, escalations.id AS reference_id
  FROM planned
  LEFT JOIN escalations ON escalations.violation_id = planned.item_id
 ORDER BY natural_order(planned.violation_number)
