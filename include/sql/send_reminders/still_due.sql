-- send_reminders/still_due: gives a row while the owner still owes what he is about to be reminded of. Credits count against the
-- oldest invoices first, so something overdue is left exactly when all of them together exceed the credits.
SELECT reminders.id
  FROM payment_reminders AS reminders
 CROSS JOIN LATERAL (
       SELECT sum(invoice_balances.balance) AS amount
         FROM invoice_balances
        WHERE invoice_balances.tenant_id = reminders.tenant_id
          AND invoice_balances.owner_id = reminders.owner_id
          AND invoice_balances.due_date < reminders.reminded_on) AS overdue
 CROSS JOIN LATERAL (
       SELECT coalesce(sum(owner_credits.unapplied), 0) AS amount
         FROM owner_credits
        WHERE owner_credits.tenant_id = reminders.tenant_id
          AND owner_credits.owner_id = reminders.owner_id) AS credits
 WHERE reminders.tenant_id = %(tenant_id)s
   AND reminders.id = %(reference_id)s
   AND reminders.owner_id = %(recipient_id)s
   AND overdue.amount > credits.amount
   AND NOT EXISTS (
       SELECT FROM holds
        WHERE holds.tenant_id = reminders.tenant_id
          AND holds.owner_id = reminders.owner_id
          AND reminders.reminded_on BETWEEN holds.starts_on AND holds.ends_on)
