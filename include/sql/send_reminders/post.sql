-- send_reminders/post: carries out the plan: records who is reminded of what.
WITH planned AS MATERIALIZED (
{% include 'send_reminders/plan.sql' %}
),
reminders AS (
    INSERT INTO payment_reminders (tenant_id, owner_id, reminded_on, stage, stage_name, total_due, days_overdue,
                                   invoice_count, run_id)
    SELECT %(tenant_id)s, owner_id, %(as_of)s, stage, stage_name, total_due, days_overdue, invoice_count, %(run_id)s
      FROM planned
     WHERE action = 'post'
    RETURNING id, owner_id
)
SELECT planned.*, reminders.id AS reference_id
  FROM planned
  LEFT JOIN reminders ON reminders.owner_id = planned.owner_id
 ORDER BY natural_order(planned.unit_numbers), planned.owner_id
