-- send_reminders/plan: whom an association would remind, one row per owner who owes something overdue, with the reason
-- for each who is skipped. The only place where the reminder rules live. Holds no names: owners are ids and units.
WITH default_stages (stage, name, days_overdue) AS (
    VALUES (1, 'friendly', 1), (2, 'firm', 30), (3, 'final', 60)
),
{% include 'send_reminders/overdue.sql' %},
{% include 'jobs/holds_in_force.sql' %},
stages AS (
    SELECT own_or_default.stage, own_or_default.name, own_or_default.days_overdue,
           row_number() OVER (ORDER BY own_or_default.days_overdue) AS tone
      FROM (SELECT reminder_stages.stage, reminder_stages.name, reminder_stages.days_overdue
              FROM reminder_stages
             WHERE reminder_stages.tenant_id = %(tenant_id)s
             UNION ALL
            SELECT default_stages.stage, default_stages.name, default_stages.days_overdue
              FROM default_stages
             WHERE NOT EXISTS (SELECT FROM reminder_stages WHERE reminder_stages.tenant_id = %(tenant_id)s))
               AS own_or_default
),
overdue_owners AS (
    SELECT invoices.owner_id,
           (SELECT string_agg(unit_number, ', ' ORDER BY natural_order(unit_number))
              FROM unnest(array_agg(DISTINCT units.unit_number)) AS unit_number) AS unit_numbers,
           count(*) AS invoice_count, sum(invoices.effective_balance) AS total_due,
           min(invoices.due_date) AS oldest_due_date, %(as_of)s::date - min(invoices.due_date) AS days_overdue
      FROM overdue AS invoices
      JOIN units ON units.tenant_id = %(tenant_id)s AND units.id = invoices.unit_id
     GROUP BY invoices.owner_id
),
staged AS (
    SELECT overdue_owners.*, holds_in_force.exemption, stage.stage, stage.name AS stage_name,
           latest.reminded_on, latest.reminded_on + coalesce(tenants.reminder_cooldown_days, 6) AS not_before
      FROM overdue_owners
      JOIN tenants ON tenants.id = %(tenant_id)s
      LEFT JOIN holds_in_force ON holds_in_force.owner_id = overdue_owners.owner_id
      LEFT JOIN LATERAL (
           SELECT max(payment_reminders.reminded_on) AS reminded_on
             FROM payment_reminders
            WHERE payment_reminders.tenant_id = %(tenant_id)s
              AND payment_reminders.owner_id = overdue_owners.owner_id) AS latest ON true
      LEFT JOIN LATERAL (
           -- The tone in which the owner was last told of what is still overdue; a reminder that did not go out told
           -- nobody anything, and one of which all is paid leads to no firmer one.
           SELECT stages.tone
             FROM payment_reminders AS reminders
             LEFT JOIN outbox
               ON outbox.tenant_id = reminders.tenant_id
              AND outbox.kind = 'payment_reminder'
              AND outbox.reference_id = reminders.id
              AND outbox.recipient_id = reminders.owner_id
             LEFT JOIN stages ON stages.stage = reminders.stage
            WHERE reminders.tenant_id = %(tenant_id)s
              AND reminders.owner_id = overdue_owners.owner_id
              AND reminders.reminded_on > overdue_owners.oldest_due_date
              AND (outbox.state IS NULL
                   OR outbox.state IN ('sent', 'uncertain', 'suppressed')
                   OR outbox.state = 'sending' AND outbox.handed_over_at IS NOT NULL)
            ORDER BY reminders.reminded_on DESC
            LIMIT 1) AS told ON true
      LEFT JOIN LATERAL (
           SELECT stages.stage, stages.name
             FROM stages
            WHERE stages.days_overdue <= overdue_owners.days_overdue
              AND stages.tone <= coalesce(told.tone, 0) + 1
            ORDER BY stages.tone DESC
            LIMIT 1) AS stage ON true
),
judged AS (
    SELECT staged.*, verdict.action, verdict.reason
      FROM staged
     CROSS JOIN LATERAL (
           SELECT 'skip', exemption
            WHERE exemption IS NOT NULL
            UNION ALL
           SELECT 'skip', 'reminded on ' || reminded_on || ', not again before ' || not_before
            WHERE %(as_of)s < not_before
            UNION ALL
           SELECT 'skip', 'no reminder before ' || (SELECT min(days_overdue) FROM stages) || ' days overdue'
            WHERE stage IS NULL
            UNION ALL
           SELECT 'post', NULL
            LIMIT 1) AS verdict (action, reason)
)
SELECT owner_id AS item_id, action, reason, owner_id, unit_numbers, invoice_count, total_due, days_overdue,
       stage, stage_name
  FROM judged
 ORDER BY natural_order(unit_numbers), owner_id
