-- engine/find_tenants: the associations that a run works on, or the one that was asked for whatever its status.
SELECT tenants.id AS tenant_id, tenants.code, tenants.name, tenants.status
  FROM tenants
 WHERE CASE WHEN %(tenant)s::text IS NULL
            THEN tenants.status = 'active'
             AND (hashtextextended(tenants.id::text, 0) & 2147483647) %% %(shards)s = %(shard)s
            ELSE tenants.code = %(tenant)s OR tenants.id::text = lower(%(tenant)s)
       END
 ORDER BY tenants.name, tenants.id
