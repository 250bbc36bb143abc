-- engine/find_runs: the jobs that one DAG run did live, shards taken together.
SELECT job_runs.job, job_runs.run_date, job_runs.status
  FROM job_runs
 WHERE job_runs.dag_run_id = %(dag_run_id)s
   AND job_runs.job = ANY (%(jobs)s)
   AND job_runs.mode = 'live'
 ORDER BY array_position(%(jobs)s::text[], job_runs.job)
