-- send_reminders/messages: the facts of the mails of this run's reminders, one row per owner with the list of what is
-- overdue.
WITH {% include 'send_reminders/overdue.sql' %},
listed AS (
    SELECT invoices.owner_id, sum(invoices.effective_balance) AS total_due,
           jsonb_agg(jsonb_build_object(
               'number', invoices.number,
               'kind', replace(invoices.kind, '_', ' '),
               'unit_number', units.unit_number,
               'due_date', invoices.due_date,
               'days_overdue', %(as_of)s::date - invoices.due_date,
               'balance', invoices.effective_balance::text)
               ORDER BY invoices.due_date, natural_order(invoices.number)) AS overdue_invoices
      FROM overdue AS invoices
      JOIN units ON units.tenant_id = %(tenant_id)s AND units.id = invoices.unit_id
     GROUP BY invoices.owner_id
)
SELECT reminders.id AS reference_id, owners.id AS recipient_id, owners.full_name AS recipient_name,
       owners.email, owners.postal_address, preferences.channel AS preference, false AS must_be_served,
       tenants.name AS tenant_name, tenants.payment_instructions,
       reminders.reminded_on, reminders.stage, reminders.days_overdue, listed.total_due, listed.overdue_invoices,
       CASE reminders.stage WHEN 1 THEN 'Payment Reminder'
                            WHEN 2 THEN 'Payment Overdue'
                            ELSE 'Final Notice' END AS headline
  FROM payment_reminders AS reminders
  JOIN tenants ON tenants.id = reminders.tenant_id
  JOIN owners ON owners.tenant_id = reminders.tenant_id AND owners.id = reminders.owner_id
  JOIN listed ON listed.owner_id = reminders.owner_id
  LEFT JOIN notification_preferences AS preferences
    ON preferences.tenant_id = owners.tenant_id AND preferences.owner_id = owners.id
 WHERE reminders.tenant_id = %(tenant_id)s
   AND reminders.run_id = %(run_id)s
 ORDER BY reminders.id
