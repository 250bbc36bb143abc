-- monitoring/history/failures: the newest associations that could not be worked on, why, and whether a later attempt
-- fixed it.
SELECT runs.job, runs.dag_run_id, failures.recorded_at, failures.error, tenants.code, tenants.name,
       EXISTS (SELECT FROM run_tenants AS later
                WHERE later.run_id = failures.run_id
                  AND later.tenant_id = failures.tenant_id
                  AND later.id > failures.id
                  AND later.status = 'posted') AS fixed
  FROM (SELECT *
          FROM run_tenants
         WHERE run_tenants.status = 'failed'
         ORDER BY run_tenants.id DESC
         LIMIT %(limit)s) AS failures
  JOIN runs ON runs.id = failures.run_id
  LEFT JOIN tenants ON tenants.id = failures.tenant_id
 ORDER BY failures.id DESC
