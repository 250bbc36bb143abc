-- books/reversals/tenants: the associations in which these runs posted invoices, active or not.
SELECT tenants.id AS tenant_id, tenants.code, tenants.name, tenants.status
  FROM tenants
 WHERE EXISTS (
       SELECT FROM invoices
        WHERE invoices.tenant_id = tenants.id
          AND invoices.run_id = ANY (%(run_ids)s::uuid[]))
 ORDER BY tenants.name, tenants.id
