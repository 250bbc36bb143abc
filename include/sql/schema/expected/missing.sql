-- schema/expected/missing: the statements that take the tables and functions which a schema lacks out of the contract's
-- schema. A function looks for tables where it was created, so it is told the new place.
SELECT format('ALTER TABLE %%I.%%I SET SCHEMA %%I', %(contract)s::text, expected.relname, %(schema)s::text) AS take_over
  FROM pg_class AS expected
 WHERE expected.relnamespace = %(contract)s::regnamespace
   AND expected.relkind = 'r'
   AND NOT EXISTS (
       SELECT FROM pg_class AS actual
        WHERE actual.relnamespace = %(schema)s::regnamespace
          AND actual.relname = expected.relname)
 UNION ALL
SELECT format('ALTER ROUTINE %%I.%%I SET SCHEMA %%I', %(contract)s::text, expected.proname, %(schema)s::text)
           || CASE WHEN expected.proconfig IS NULL THEN ''
                   ELSE format('; ALTER ROUTINE %%I.%%I SET search_path = %%I, pg_temp',
                               %(schema)s::text, expected.proname, %(schema)s::text) END
  FROM pg_proc AS expected
 WHERE expected.pronamespace = %(contract)s::regnamespace
   AND NOT EXISTS (
       SELECT FROM pg_proc AS actual
        WHERE actual.pronamespace = %(schema)s::regnamespace
          AND actual.proname = expected.proname)
