-- monitoring/history/recent_runs: the newest runs of each job, newest first; or those before a moment, or one.
SELECT jobs.name AS job, recent.*
  FROM unnest(%(jobs)s::text[]) AS jobs (name)
 CROSS JOIN LATERAL (
       SELECT whole.*
         FROM (SELECT DISTINCT newest.dag_run_id, newest.run_date
                 FROM (SELECT runs.dag_run_id, runs.run_date
                         FROM runs
                        WHERE runs.job = jobs.name
                          AND (%(dag_run_id)s::text IS NULL OR runs.dag_run_id = %(dag_run_id)s)
                          AND (%(before)s::timestamptz IS NULL OR runs.run_date < %(before)s)
                        ORDER BY runs.run_date DESC
                        LIMIT %(limit)s * %(shards)s) AS newest) AS candidates
        CROSS JOIN LATERAL (
              SELECT job_runs.dag_run_id, job_runs.run_date, job_runs.mode, job_runs.as_of, job_runs.narrowed,
                     job_runs.options, job_runs.status, job_runs.started_at, job_runs.finished_at,
                     job_runs.associations, job_runs.failed, job_runs.counts, job_runs.totals
                FROM job_runs
               WHERE job_runs.job = jobs.name
                 AND job_runs.dag_run_id = candidates.dag_run_id
                 AND job_runs.run_date = candidates.run_date
              -- Look at one run at a time: without this, PostgreSQL adds up the whole history first.
              OFFSET 0 -- noqa: AM09
              ) AS whole
        ORDER BY whole.run_date DESC, whole.started_at DESC
        LIMIT %(limit)s) AS recent
 ORDER BY recent.run_date DESC, recent.started_at DESC
