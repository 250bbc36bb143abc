-- books/reversals/tenants: the associations in which these runs posted invoices, active or not; or the one of them that
-- is asked for.
SELECT tenants.id AS tenant_id, tenants.code, tenants.name
  FROM tenants
 WHERE (%(tenant)s::text IS NULL OR tenants.code = %(tenant)s OR tenants.id::text = lower(%(tenant)s))
   AND EXISTS (
       SELECT FROM invoices
        WHERE invoices.tenant_id = tenants.id
          AND invoices.run_id = ANY (%(run_ids)s::uuid[]))
 ORDER BY tenants.name, tenants.id
