-- monitoring/history/waiting: what is unfinished in the outbox.
SELECT outbox.kind, outbox.channel, outbox.state, count(*) AS messages, min(outbox.created_at) AS oldest
  FROM outbox
 WHERE outbox.state IN ('pending', 'sending', 'failed', 'uncertain')
   AND (%(tenant_id)s::uuid IS NULL OR outbox.tenant_id = %(tenant_id)s)
 GROUP BY outbox.kind, outbox.channel, outbox.state
 ORDER BY outbox.state IN ('failed', 'uncertain') DESC, outbox.state, outbox.channel, outbox.kind
