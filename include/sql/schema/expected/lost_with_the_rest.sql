-- schema/expected/lost_with_the_rest: the statements that put back what goes when the contract's schema is dropped:
-- triggers whose function, foreign keys whose table is another one now, and views, which are missing and have not been
-- moved. The search path must be the contract's schema and then the other, so that all names come out bare.
SELECT pg_get_triggerdef(triggers.oid, true) AS definition
  FROM pg_trigger AS triggers
  JOIN pg_class AS tables ON tables.oid = triggers.tgrelid
  JOIN pg_proc AS functions ON functions.oid = triggers.tgfoid
 WHERE NOT triggers.tgisinternal
   AND tables.relnamespace = %(schema)s::regnamespace
   AND functions.pronamespace = %(contract)s::regnamespace
 UNION ALL
SELECT format('ALTER TABLE %%I ADD CONSTRAINT %%I %%s',
              tables.relname, keys.conname, pg_get_constraintdef(keys.oid, true))
  FROM pg_constraint AS keys
  JOIN pg_class AS tables ON tables.oid = keys.conrelid
  JOIN pg_class AS expected ON expected.oid = keys.confrelid
  JOIN pg_class AS actual ON actual.relnamespace = %(schema)s::regnamespace AND actual.relname = expected.relname
 WHERE keys.contype = 'f'
   AND tables.relnamespace = %(schema)s::regnamespace
   AND expected.relnamespace = %(contract)s::regnamespace
   AND actual.relkind IN ('r', 'p')
 UNION ALL
SELECT format('CREATE VIEW %%I AS %%s COMMENT ON VIEW %%I IS %%L',
              views.relname, pg_get_viewdef(views.oid, true), views.relname, obj_description(views.oid, 'pg_class'))
  FROM pg_class AS views
 WHERE views.relnamespace = %(contract)s::regnamespace
   AND views.relkind = 'v'
   AND NOT EXISTS (
       SELECT FROM pg_class AS actual
        WHERE actual.relnamespace = %(schema)s::regnamespace
          AND actual.relname = views.relname)
