-- monitoring/history/recent_runs: the newest live runs of each job, shards taken together, newest first; or those
-- before a moment, or one.
SELECT jobs.name AS job, recent.*
  FROM unnest(%(jobs)s::text[]) AS jobs (name)
 CROSS JOIN LATERAL (
       SELECT newest.dag_run_id, max(newest.run_date) AS run_date, max(newest.as_of) AS as_of,
              bool_or(newest.narrowed) AS narrowed, min(newest.options::text)::jsonb AS options,
              CASE WHEN bool_or(newest.status = 'running') THEN 'running'
                   WHEN bool_or(newest.status = 'failed') THEN 'failed'
                   ELSE max(newest.status) END AS status,
              min(newest.started_at) AS started_at, max(newest.finished_at) AS finished_at,
              sum(newest.associations)::integer AS associations, sum(newest.failed)::integer AS failed,
              sum_figures(newest.counts) AS counts, sum_figures(newest.totals) AS totals
         FROM (SELECT *
                 FROM runs
                WHERE runs.job = jobs.name
                  AND (%(dag_run_id)s::text IS NULL OR runs.dag_run_id = %(dag_run_id)s)
                  AND (%(before)s::timestamptz IS NULL OR runs.run_date < %(before)s)
                ORDER BY runs.run_date DESC
                LIMIT %(limit)s * %(shards)s) AS newest
        GROUP BY newest.dag_run_id
        ORDER BY run_date DESC, started_at DESC
        LIMIT %(limit)s) AS recent
 ORDER BY recent.run_date DESC, recent.started_at DESC
