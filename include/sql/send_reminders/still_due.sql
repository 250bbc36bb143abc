-- send_reminders/still_due: gives a row while the owner still owes something that was overdue on the day of the
-- reminder, and has been put on no hold: by the rules of the plan, asked again for this owner.
WITH {% include 'send_reminders/overdue.sql' %},
{% include 'jobs/holds_in_force.sql' %}
SELECT reminders.id
  FROM payment_reminders AS reminders
 WHERE reminders.tenant_id = %(tenant_id)s
   AND reminders.id = %(reference_id)s
   AND reminders.owner_id = %(owner_id)s
   AND EXISTS (SELECT FROM overdue)
   AND NOT EXISTS (SELECT FROM holds_in_force)
