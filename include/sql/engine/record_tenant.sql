-- engine/record_tenant: what this attempt did for one association, in the transaction that did it.
INSERT INTO run_tenants (run_id, tenant_id, status, counts, totals, items, error)
VALUES (%(run_id)s, %(tenant_id)s, %(status)s, %(counts)s, %(totals)s, %(items)s, %(error)s)
