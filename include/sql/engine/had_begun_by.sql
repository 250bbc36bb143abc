-- engine/had_begun_by: whether any of the jobs had run for all associations, however it ended, by a tick.
SELECT EXISTS (
       SELECT FROM runs
        WHERE runs.job = ANY (%(jobs)s)
          AND runs.run_date <= %(tick)s
          AND runs.dag_run_id <> %(other_than)s
          AND NOT runs.narrowed) AS had_begun
