-- monitoring/health/jobs: per job the newest run that did it for all associations, in every shard, and, if that is
-- older than the moment the job was due, the newest run since then, which tells why.
SELECT due.job, done.run_date AS done_for, done.finished_at AS done_at,
       latest.status, latest.started_at, latest.shards, latest.failed, installation.installed_at
  FROM unnest(%(jobs)s::text[], %(due)s::timestamptz[]) AS due (job, due_at)
 CROSS JOIN installation
  LEFT JOIN LATERAL (
       SELECT completed.run_date, shards.finished_at
         FROM runs AS completed
        CROSS JOIN LATERAL (
              SELECT max(shard.finished_at) AS finished_at
                FROM runs AS shard
               WHERE shard.job = completed.job
                 AND shard.dag_run_id = completed.dag_run_id
              HAVING bool_and(shard.status = 'completed')
                 AND count(*) >= %(shards)s) AS shards
        WHERE completed.job = due.job
          AND completed.status = 'completed'
          AND NOT completed.narrowed
          AND completed.associations > 0
        ORDER BY completed.run_date DESC
        LIMIT 1) AS done ON true
  LEFT JOIN LATERAL (
       SELECT runs.dag_run_id, min(runs.started_at) AS started_at, count(*) AS shards,
              sum(runs.failed)::integer AS failed,
              CASE WHEN bool_or(runs.status = 'failed') THEN 'failed'
                   WHEN bool_or(runs.status = 'switched_off') THEN 'switched_off'
                   ELSE max(runs.status) END AS status
         FROM runs
        WHERE runs.job = due.job
          AND runs.run_date >= due.due_at
          AND NOT runs.narrowed
          AND (done.run_date IS NULL OR done.run_date < due.due_at)
        GROUP BY runs.dag_run_id
        ORDER BY max(runs.run_date) DESC, started_at DESC
        LIMIT 1) AS latest ON true
 ORDER BY array_position(%(jobs)s::text[], due.job)
