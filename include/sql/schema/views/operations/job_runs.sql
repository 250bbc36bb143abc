-- schema/views/operations/job_runs: a job of a DAG run, its shards together.
CREATE OR REPLACE VIEW job_runs AS
    SELECT runs.job, runs.dag_run_id, runs.run_date, runs.mode,
           max(runs.as_of) AS as_of,
           bool_or(runs.narrowed) AS narrowed,
           min(runs.options::text)::jsonb AS options,
           CASE WHEN bool_or(runs.status = 'running') THEN 'running'
                WHEN bool_or(runs.status = 'failed') THEN 'failed'
                WHEN bool_or(runs.status = 'switched_off') THEN 'switched_off'
                ELSE 'completed' END AS status,
           count(*) AS shards,
           min(runs.started_at) AS started_at,
           max(runs.finished_at) AS finished_at,
           sum(runs.associations)::integer AS associations,
           sum(runs.failed)::integer AS failed,
           sum_figures(runs.counts) AS counts,
           sum_figures(runs.totals) AS totals,
           runs.mode = 'live' AND NOT bool_or(runs.narrowed) AND bool_and(runs.status = 'completed')
               AND sum(runs.associations) > 0 AS proves_done
      FROM runs
     GROUP BY runs.job, runs.dag_run_id, runs.run_date, runs.mode;
COMMENT ON VIEW job_runs IS
    'A job of a DAG run, its shards together. proves_done: done for all associations, if all shards are there.';
