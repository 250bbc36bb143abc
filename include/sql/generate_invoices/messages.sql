-- generate_invoices/messages: the facts of the mails with this run's assessment invoices, one row per invoice, where
-- the association wants them sent. An owner who wants no messages gets none: the assessment is due without an invoice,
-- too.
SELECT invoices.id AS reference_id, owners.id AS recipient_id, owners.full_name AS recipient_name,
       owners.email, owners.postal_address, preferences.channel AS preference, false AS must_be_served,
       tenants.name AS tenant_name, tenants.payment_instructions, units.unit_number,
       invoices.number AS invoice_number, invoices.period, invoices.invoice_date, invoices.due_date,
       lines.lines, invoices.amount, invoices.amount - balances.balance AS credit_applied,
       balances.balance AS balance_due
  FROM invoices
  JOIN tenants ON tenants.id = invoices.tenant_id AND tenants.emails_invoices
  JOIN units ON units.tenant_id = invoices.tenant_id AND units.id = invoices.unit_id
  JOIN owners ON owners.tenant_id = invoices.tenant_id AND owners.id = invoices.owner_id
  JOIN invoice_balances AS balances ON balances.tenant_id = invoices.tenant_id AND balances.invoice_id = invoices.id
 CROSS JOIN LATERAL (
       SELECT jsonb_agg(jsonb_build_object(
                  'description', invoice_lines.description,
                  'amount', invoice_lines.amount::text) ORDER BY invoice_lines.line_number) AS lines
         FROM invoice_lines
        WHERE invoice_lines.tenant_id = invoices.tenant_id
          AND invoice_lines.invoice_id = invoices.id) AS lines
  LEFT JOIN notification_preferences AS preferences
    ON preferences.tenant_id = owners.tenant_id AND preferences.owner_id = owners.id
 WHERE invoices.tenant_id = %(tenant_id)s
   AND invoices.run_id = %(run_id)s
   AND invoices.kind = 'assessment'
 ORDER BY natural_order(invoices.number)
