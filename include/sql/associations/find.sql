-- associations/find: the associations that have this as their code or id (is_key), or as their name, whatever their
-- status.
SELECT tenants.id AS tenant_id, tenants.code, tenants.name, tenants.status,
       lower(%(wanted)s) IN (lower(tenants.code), tenants.id::text) AS is_key
  FROM tenants
 WHERE lower(%(wanted)s) IN (lower(tenants.code), tenants.id::text, lower(btrim(tenants.name)))
 ORDER BY tenants.code
