-- engine/completed_since: the first other DAG run that did a job for all associations at or after a moment.
SELECT job_runs.dag_run_id
  FROM job_runs
 WHERE job_runs.job = %(job)s
   AND job_runs.run_date >= %(tick)s
   AND job_runs.dag_run_id <> %(other_than)s
   AND job_runs.proves_done
   AND job_runs.shards >= %(shards)s
 ORDER BY job_runs.run_date, job_runs.dag_run_id
 LIMIT 1
