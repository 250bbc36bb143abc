-- schema/expected/missing_tables: for each table that a schema lacks, the command that moves it there from the expected
-- schema.
SELECT format('ALTER TABLE %%I.%%I SET SCHEMA %%I', %(expected_schema)s::text, expected.relname, %(schema)s::text)
           AS move
  FROM pg_class AS expected
 WHERE expected.relnamespace = %(expected_schema)s::regnamespace
   AND expected.relkind = 'r'
   AND NOT EXISTS (
       SELECT FROM pg_class AS actual
        WHERE actual.relnamespace = %(schema)s::regnamespace
          AND actual.relname = expected.relname)
