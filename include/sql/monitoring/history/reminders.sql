-- monitoring/history/reminders: payment reminders by month, and what became of them.
SELECT date_trunc('month', outbox.created_at AT TIME ZONE %(timezone)s)::date AS month,
       count(*) FILTER (WHERE outbox.state = 'sent') AS sent,
       count(*) FILTER (WHERE outbox.state = ANY (%(failed)s)) AS failed
  FROM outbox
 WHERE outbox.kind = 'payment_reminder'
   AND outbox.created_at >= %(since)s
   AND (%(tenant_id)s::uuid IS NULL OR outbox.tenant_id = %(tenant_id)s)
 GROUP BY month
