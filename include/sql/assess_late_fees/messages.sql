-- assess_late_fees/messages: the facts of the mails about the fees that this run charged, one row per fee.
-- Nobody is charged without being told: an owner who wants no messages gets a letter.
WITH {% include 'jobs/effective_balances.sql' %}
SELECT fees.id AS reference_id, owners.id AS recipient_id, owners.full_name AS recipient_name,
       owners.email, owners.postal_address, preferences.channel AS preference, true AS must_be_served,
       tenants.name AS tenant_name, tenants.payment_instructions, units.unit_number,
       overdue.number AS overdue_number, overdue.due_date AS overdue_since,
       fees.invoice_date - overdue.due_date AS days_overdue,
       coalesce(effective_balances.effective_balance, 0) AS balance,
       fees.number AS invoice_number, fees.amount AS late_fee, fees.due_date
  FROM invoices AS fees
  JOIN tenants ON tenants.id = fees.tenant_id
  JOIN invoices AS overdue ON overdue.tenant_id = fees.tenant_id AND overdue.id = fees.late_fee_of_invoice_id
  JOIN units ON units.tenant_id = fees.tenant_id AND units.id = fees.unit_id
  JOIN owners ON owners.tenant_id = fees.tenant_id AND owners.id = fees.owner_id
  LEFT JOIN effective_balances ON effective_balances.invoice_id = overdue.id
  LEFT JOIN notification_preferences AS preferences
    ON preferences.tenant_id = owners.tenant_id AND preferences.owner_id = owners.id
 WHERE fees.tenant_id = %(tenant_id)s
   AND fees.run_id = %(run_id)s
   AND fees.kind = 'late_fee'
   AND fees.status <> 'void'
 ORDER BY natural_order(units.unit_number), fees.id
