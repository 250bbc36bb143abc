-- engine/finish_run: how the run ended; only a completed one proves that its job was done. Its figures are those of
-- all its attempts: what any attempt posted, and the rest as the last one saw it.
WITH attempts AS (
    SELECT run_tenants.*, row_number() OVER (PARTITION BY tenant_id ORDER BY id DESC) = 1 AS is_last
      FROM run_tenants
     WHERE run_id = %(run_id)s
),
figures AS (
    SELECT count(*) FILTER (WHERE is_last) AS associations,
           count(*) FILTER (WHERE is_last AND status = 'failed') AS failed,
           sum_figures(CASE WHEN is_last THEN counts
                            ELSE jsonb_build_object('posted', counts -> 'posted') END) AS counts,
           sum_figures(totals) AS totals
      FROM attempts
)
UPDATE runs
   SET status = %(status)s, finished_at = clock_timestamp(),
       associations = figures.associations, failed = figures.failed, counts = figures.counts, totals = figures.totals
  FROM figures
 WHERE runs.id = %(run_id)s
