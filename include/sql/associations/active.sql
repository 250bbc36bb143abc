-- associations/active: the associations that the jobs work on, or a shard of them, by name.
SELECT tenants.id AS tenant_id, tenants.code, tenants.name, tenants.status
  FROM tenants
 WHERE tenants.status = 'active'
   AND (hashtextextended(tenants.id::text, 0) & 2147483647) %% %(shards)s = %(shard)s
 ORDER BY tenants.name, tenants.id
