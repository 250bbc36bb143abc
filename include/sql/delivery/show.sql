-- delivery/show: one message, whole, and what people did to it.
SELECT outbox.*, tenants.name AS tenant_name, tenants.code,
       (SELECT coalesce(jsonb_agg(to_jsonb(outbox_actions) ORDER BY outbox_actions.id), '[]')
          FROM outbox_actions
         WHERE outbox_actions.message_id = outbox.id) AS actions
  FROM outbox
  LEFT JOIN tenants ON tenants.id = outbox.tenant_id
 WHERE outbox.id = %(id)s
