-- schema/expected/severed_foreign_keys: the definitions of the foreign keys from tables that were moved to tables that
-- were not, because there is one of that name already. The search path must be the expected schema and then the other,
-- so that all names come out bare.
SELECT format('ALTER TABLE %%I ADD CONSTRAINT %%I %%s',
              tables.relname, keys.conname, pg_get_constraintdef(keys.oid, true)) AS definition
  FROM pg_constraint AS keys
  JOIN pg_class AS tables ON tables.oid = keys.conrelid
  JOIN pg_class AS expected ON expected.oid = keys.confrelid
  JOIN pg_class AS actual ON actual.relnamespace = %(schema)s::regnamespace AND actual.relname = expected.relname
 WHERE keys.contype = 'f'
   AND tables.relnamespace = %(schema)s::regnamespace
   AND expected.relnamespace = %(expected_schema)s::regnamespace
   AND actual.relkind IN ('r', 'p')
