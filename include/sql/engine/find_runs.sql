-- engine/find_runs: the jobs that one DAG run did live, shards taken together.
SELECT runs.job, min(runs.run_date) AS run_date, min(runs.status) AS status
  FROM runs
 WHERE runs.dag_run_id = %(dag_run_id)s
   AND runs.job = ANY (%(jobs)s)
 GROUP BY runs.job
 ORDER BY array_position(%(jobs)s::text[], runs.job)
