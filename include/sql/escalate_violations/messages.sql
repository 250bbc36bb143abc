-- escalate_violations/messages: the facts of the letters about this run's escalations, one row per escalation and
-- owner. A notice of violation must be served: an owner who wants no messages gets a letter.
WITH unit_days AS (
    SELECT violations.unit_id, escalations.escalated_on AS on_date
      FROM violation_escalations AS escalations
      JOIN violations ON violations.tenant_id = escalations.tenant_id AND violations.id = escalations.violation_id
     WHERE escalations.tenant_id = %(tenant_id)s
       AND escalations.run_id = %(run_id)s
),
{% include 'jobs/owners_of_record.sql' %}
SELECT escalations.id AS reference_id, owners.id AS recipient_id, owners.full_name AS recipient_name,
       owners.email, owners.postal_address, preferences.channel AS preference, true AS must_be_served,
       tenants.name AS tenant_name, units.unit_number, violation_types.name AS violation_type,
       violations.violation_number, violations.description, violations.cure_deadline,
       escalations.step, escalations.step_name, escalations.escalated_on, escalations.fine,
       owners_of_record.percentage, invoices.number AS invoice_number, invoices.amount AS share_of_fine,
       invoices.due_date
  FROM violation_escalations AS escalations
  JOIN tenants ON tenants.id = escalations.tenant_id
  JOIN violations ON violations.tenant_id = escalations.tenant_id AND violations.id = escalations.violation_id
  JOIN violation_types
    ON violation_types.tenant_id = violations.tenant_id AND violation_types.id = violations.violation_type_id
  JOIN units ON units.tenant_id = violations.tenant_id AND units.id = violations.unit_id
  JOIN owners_of_record
    ON owners_of_record.unit_id = violations.unit_id
   AND owners_of_record.on_date = escalations.escalated_on
  JOIN owners ON owners.tenant_id = escalations.tenant_id AND owners.id = owners_of_record.owner_id
  LEFT JOIN notification_preferences AS preferences
    ON preferences.tenant_id = owners.tenant_id AND preferences.owner_id = owners.id
  LEFT JOIN invoices
    ON invoices.tenant_id = escalations.tenant_id
   AND invoices.violation_escalation_id = escalations.id
   AND invoices.owner_id = owners.id
   AND invoices.status <> 'void'
 WHERE escalations.tenant_id = %(tenant_id)s
   AND escalations.run_id = %(run_id)s
 ORDER BY natural_order(violations.violation_number), owners.id
