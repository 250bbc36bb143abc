-- monitoring/history/run: what one run did for each association, as its last attempt left it; those that failed first.
SELECT tenants.code, tenants.name, last.status, last.counts, last.totals, last.error, last.recorded_at,
       count(*) OVER () AS associations
  FROM (SELECT DISTINCT ON (run_tenants.tenant_id) run_tenants.tenant_id, run_tenants.status, run_tenants.error,
               run_tenants.recorded_at,
               sum_figures(run_tenants.totals) OVER of_tenant AS totals,
               run_tenants.counts || jsonb_build_object(
                   'posted', sum((run_tenants.counts ->> 'posted')::numeric) OVER of_tenant) AS counts
          FROM run_tenants
         WHERE run_tenants.run_id IN (SELECT id FROM runs WHERE job = %(job)s AND dag_run_id = %(dag_run_id)s)
        WINDOW of_tenant AS (PARTITION BY run_tenants.tenant_id)
         ORDER BY run_tenants.tenant_id, run_tenants.id DESC) AS last
  LEFT JOIN tenants ON tenants.id = last.tenant_id
 ORDER BY last.status, tenants.name, tenants.id
 LIMIT %(limit)s
