-- monitoring/health/jobs: per job since when it is live, the newest run that did it for all associations, and, if that
-- is older than the moment the job was due, the newest run since then, which tells why.
SELECT due.job, decision.live_since, done.run_date AS done_for, done.finished_at AS done_at,
       latest.status, latest.started_at, latest.shards, latest.failed
  FROM unnest(%(jobs)s::text[], %(due)s::timestamptz[]) AS due (job, due_at)
  LEFT JOIN LATERAL (
       SELECT CASE WHEN go_live_decisions.live THEN go_live_decisions.decided_at END AS live_since
         FROM go_live_decisions
        WHERE go_live_decisions.job = due.job
        ORDER BY go_live_decisions.id DESC
        LIMIT 1) AS decision ON true
  LEFT JOIN LATERAL (
       SELECT whole.run_date, whole.finished_at
         FROM runs AS completed
        CROSS JOIN LATERAL (
              SELECT job_runs.run_date, job_runs.finished_at
                FROM job_runs
               WHERE job_runs.job = completed.job
                 AND job_runs.dag_run_id = completed.dag_run_id
                 AND job_runs.proves_done
                 AND job_runs.shards >= %(shards)s
              -- Look at one run at a time: without this, PostgreSQL adds up the whole history first.
              OFFSET 0 -- noqa: AM09
              ) AS whole
        -- The condition of an index, so that a long history is not read.
        WHERE completed.job = due.job
          AND completed.mode = 'live'
          AND completed.status = 'completed'
          AND NOT completed.narrowed
          AND completed.associations > 0
        ORDER BY completed.run_date DESC
        LIMIT 1) AS done ON true
  LEFT JOIN LATERAL (
       SELECT job_runs.status, job_runs.started_at, job_runs.shards, job_runs.failed
         FROM job_runs
        WHERE job_runs.job = due.job
          AND job_runs.run_date >= due.due_at
          AND job_runs.mode = 'live'
          AND NOT job_runs.narrowed
          AND (done.run_date IS NULL OR done.run_date < due.due_at)
        ORDER BY job_runs.run_date DESC, job_runs.started_at DESC
        LIMIT 1) AS latest ON true
 ORDER BY array_position(%(jobs)s::text[], due.job)
