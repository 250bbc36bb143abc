-- monitoring/history/association_trends: what live runs posted for one association by month, counted or in dollars.
SELECT trends.name, date_trunc('month', runs.as_of)::date AS month,
       sum((CASE WHEN trends.total IS NULL THEN run_tenants.counts ->> 'posted'
                 ELSE run_tenants.totals ->> trends.total END)::numeric) AS figure
  FROM run_tenants
  JOIN runs ON runs.id = run_tenants.run_id
  JOIN unnest(%(names)s::text[], %(jobs)s::text[], %(totals)s::text[]) AS trends (name, job, total)
    ON trends.job = runs.job
 WHERE run_tenants.tenant_id = %(tenant_id)s
   AND runs.run_date >= %(since)s
   AND runs.mode = 'live'
 GROUP BY trends.name, month
