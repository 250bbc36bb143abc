-- engine/open_run: the row of this live run; a retry or a cleared task takes up the same row again.
INSERT INTO runs (job, dag_run_id, shard, as_of, run_date, mode, options, narrowed)
VALUES (%(job)s, %(dag_run_id)s, %(shard)s, %(as_of)s, %(run_date)s, %(mode)s, %(options)s, %(narrowed)s)
ON CONFLICT (job, dag_run_id, shard) DO UPDATE
   SET status = 'running', finished_at = NULL, as_of = excluded.as_of, run_date = excluded.run_date,
       mode = excluded.mode, options = excluded.options, narrowed = excluded.narrowed
RETURNING id
