-- engine/completed_since: the first other DAG run that did a job for all associations, in every shard, at or after a
-- tick.
SELECT runs.dag_run_id
  FROM runs
 WHERE runs.job = %(job)s
   AND runs.run_date >= %(tick)s
   AND runs.dag_run_id <> %(other_than)s
   AND NOT runs.narrowed
 GROUP BY runs.dag_run_id
HAVING bool_and(runs.status = 'completed')
   AND count(*) >= %(shards)s
 ORDER BY min(runs.run_date), runs.dag_run_id
 LIMIT 1
