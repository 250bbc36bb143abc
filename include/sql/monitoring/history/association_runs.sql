-- monitoring/history/association_runs: what the newest runs did for one association, attempt by attempt.
SELECT runs.job, runs.dag_run_id, runs.run_date, runs.as_of, runs.mode, runs.options, attempts.status, attempts.counts,
       attempts.totals, attempts.error, attempts.recorded_at
  FROM (SELECT *
          FROM run_tenants
         WHERE run_tenants.tenant_id = %(tenant_id)s
         ORDER BY run_tenants.id DESC
         LIMIT %(limit)s) AS attempts
  JOIN runs ON runs.id = attempts.run_id
 ORDER BY attempts.id DESC
