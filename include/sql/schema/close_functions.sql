-- schema/close_functions: takes from PUBLIC the right to execute the functions that this transaction has created or
-- replaced, one command a row. PostgreSQL gives it to everybody when it creates a function.
SELECT format('REVOKE EXECUTE ON ROUTINE %%s FROM PUBLIC', pg_proc.oid::regprocedure) AS command
  FROM pg_proc
 WHERE pg_proc.pronamespace IN (to_regnamespace(%(associations)s), to_regnamespace(%(operations)s))
   AND pg_proc.xmin = pg_current_xact_id()::xid
