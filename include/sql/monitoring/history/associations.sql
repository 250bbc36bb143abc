-- monitoring/history/associations: what to choose an association from.
SELECT tenants.code, tenants.name
  FROM tenants
 ORDER BY tenants.name, tenants.id
 LIMIT %(limit)s
