-- From now on the first month to bill is known by an association's billing_starts_on, or by the first run that failed.
-- What was not billed before the first month on record was passed over by an earlier release, and stays so.
INSERT INTO billed_periods (tenant_id, period, run_id)
SELECT recorded.tenant_id, passed_over.month::date, recorded.run_id
  FROM (SELECT DISTINCT ON (billed_periods.tenant_id)
               billed_periods.tenant_id, billed_periods.period, billed_periods.run_id
          FROM billed_periods
         ORDER BY billed_periods.tenant_id, billed_periods.period) AS recorded
  LEFT JOIN tenants ON tenants.id = recorded.tenant_id
  LEFT JOIN (SELECT run_tenants.tenant_id, min(runs.as_of) AS failed_on
               FROM run_tenants
               JOIN runs ON runs.id = run_tenants.run_id
              WHERE run_tenants.status = 'failed'
                AND runs.job = 'generate_invoices'
                AND runs.mode = 'live'
              GROUP BY run_tenants.tenant_id) AS attempts ON attempts.tenant_id = recorded.tenant_id
 CROSS JOIN LATERAL generate_series(
       date_trunc('month', least(tenants.billing_starts_on, attempts.failed_on)::timestamp),
       recorded.period - interval '1 month', '1 month') AS passed_over (month);
