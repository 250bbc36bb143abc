-- run_ledger/finish_run: how the run ended; only a completed one proves that its job was done.
UPDATE runs
   SET status = %(status)s, finished_at = clock_timestamp()
 WHERE id = %(run_id)s
