-- books/reversals/runs: the runs (shards) of a job in a DAG run.
SELECT runs.id
  FROM runs
 WHERE runs.job = %(job)s
   AND runs.dag_run_id = %(dag_run_id)s
