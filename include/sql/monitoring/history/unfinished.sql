-- monitoring/history/unfinished: the messages in the outbox that are not finished, by kind, channel and state.
SELECT outbox.kind, outbox.channel, outbox.state, count(*) AS messages, min(outbox.created_at) AS oldest
  FROM outbox
 WHERE outbox.state = ANY (%(states)s)
   AND (%(tenant_id)s::uuid IS NULL OR outbox.tenant_id = %(tenant_id)s)
 GROUP BY outbox.kind, outbox.channel, outbox.state
 ORDER BY outbox.state, outbox.channel, outbox.kind
