-- delivery/list: messages by state, oldest first, without what is personal.
SELECT outbox.id, outbox.state, outbox.channel, outbox.kind, outbox.attempts, outbox.created_at, tenants.code,
       count(*) OVER () AS found
  FROM outbox
  LEFT JOIN tenants ON tenants.id = outbox.tenant_id
 WHERE outbox.state = ANY (%(states)s)
   AND (%(channel)s::text IS NULL OR outbox.channel = %(channel)s)
   AND (%(tenant_id)s::uuid IS NULL OR outbox.tenant_id = %(tenant_id)s)
 ORDER BY outbox.created_at, outbox.id
 LIMIT %(limit)s
