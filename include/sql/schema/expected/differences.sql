-- schema/expected/differences: how the tables and views differ from what the package expects, one sentence a row, with
-- what to do.
WITH {% include 'schema/expected/relations.sql' %}
SELECT relation, 1 AS turn,
       full_name || ' is missing: ' || CASE WHEN is_operations THEN 'run `python -m hoa_ops migrate`'
           ELSE 'create a view with that name, or run `python -m hoa_ops migrate --adopt` to create the table' END
           AS difference
  FROM relations
 WHERE actual_oid IS NULL
 UNION ALL
SELECT '', 2,
       'These are views and must be tables: ' || string_agg(full_name, ', ' ORDER BY full_name)
           || '. Views are enough for dry runs only: live runs post here, and only the unique keys of a table keep a '
           'charge from being posted twice. Drop these views and run `python -m hoa_ops migrate --adopt`'
  FROM relations
 WHERE is_inserted
   AND actual_oid IS NOT NULL
   AND NOT is_table
HAVING count(*) > 0
 UNION ALL
SELECT relation, 3,
       full_name || ' reads ' || coalesce(string_agg(source.name, ', ' ORDER BY source.name), 'no table') || ', not '
           || (SELECT string_agg(DISTINCT format('%%I.%%I', schema_name, needed.relname), ', ')
                 FROM pg_rewrite AS rules
                 JOIN pg_depend AS uses ON uses.classid = 'pg_rewrite'::regclass AND uses.objid = rules.oid
                 JOIN pg_class AS needed ON needed.oid = uses.refobjid AND needed.oid <> expected_oid
                WHERE rules.ev_class = expected_oid AND uses.refclassid = 'pg_class'::regclass)
           || ': drop it and run `python -m hoa_ops migrate`'
  FROM relations
  LEFT JOIN LATERAL (
       SELECT DISTINCT used.oid::regclass::text AS name, used.relnamespace = to_regnamespace(schema_name) AS is_here
         FROM pg_rewrite AS rules
         JOIN pg_depend AS uses ON uses.classid = 'pg_rewrite'::regclass AND uses.objid = rules.oid
         JOIN pg_class AS used ON used.oid = uses.refobjid AND used.oid <> actual_oid
        WHERE rules.ev_class = actual_oid
          AND uses.refclassid = 'pg_class'::regclass) AS source ON true
 WHERE expected_kind = 'v'
   AND actual_oid IS NOT NULL
 GROUP BY relation, full_name, schema_name, expected_oid
HAVING NOT coalesce(bool_and(source.is_here), false)
 UNION ALL
SELECT relation, 4,
       full_name || ' has no column ' || column_name || ' (' || expected_type_name || '): add it'
  FROM columns
 WHERE actual_number IS NULL
 UNION ALL
SELECT relation, 5,
       full_name || '.' || column_name || ' is ' || actual_type_name || ' but must be ' || expected_type_name
           || ': ' || CASE WHEN is_table THEN 'change its type' ELSE 'cast it in the view' END
  FROM columns
 WHERE actual_type <> expected_type
   AND NOT EXISTS (
       SELECT FROM pg_cast
        WHERE pg_cast.castsource = actual_type
          AND pg_cast.casttarget = expected_type
          AND pg_cast.castcontext = 'i')
 UNION ALL
SELECT relation, 6,
       full_name || '.' || column_name || ' cannot be updated through the view: select it unchanged from a '
           'single table, or give the view an INSTEAD OF UPDATE trigger'
  FROM columns
 WHERE kind = 'v'
   AND actual_number IS NOT NULL
   AND has_column_privilege(%(role)s::name, expected_oid, expected_number, 'UPDATE')
   AND NOT pg_column_is_updatable(actual_oid, actual_number, true)
 UNION ALL
SELECT relation, 7,
       full_name || '.' || column_name || ' has no default: ALTER TABLE ' || full_name || ' ALTER ' || column_name
           || ' SET DEFAULT ' || replace(expected_default, expected_schema || '.', schema_name || '.')
  FROM columns
 WHERE is_inserted
   AND is_table
   AND expected_default IS NOT NULL
   AND NOT has_default
 UNION ALL
SELECT relation, 8,
       full_name || '.' || attribute.attname || ' is NOT NULL without a default, and the jobs do not set it: give it '
           'a default, or drop NOT NULL'
  FROM relations
  JOIN pg_attribute AS attribute
    ON attribute.attrelid = actual_oid
   AND attribute.attnum > 0
   AND NOT attribute.attisdropped
 WHERE is_inserted
   AND is_table
   AND attribute.attnotnull
   AND NOT attribute.atthasdef
   AND attribute.attidentity = ''
   AND NOT EXISTS (
       SELECT FROM columns
        WHERE columns.actual_oid = relations.actual_oid
          AND columns.actual_number = attribute.attnum)
 UNION ALL
SELECT relation, 9,
       full_name || ' has no unique index on ' || definition.wanted || ', so the same could be posted twice: '
           'CREATE UNIQUE INDEX ON ' || full_name || ' USING ' || definition.wanted
  FROM relations
  JOIN pg_index AS expected ON expected.indrelid = expected_oid AND expected.indisunique
 CROSS JOIN LATERAL (
       SELECT regexp_replace(pg_get_indexdef(expected.indexrelid), '^.* USING ', '') AS wanted) AS definition
 WHERE is_inserted
   AND is_table
   AND NOT EXISTS (
       SELECT FROM pg_index AS actual
        WHERE actual.indrelid = actual_oid
          AND actual.indisunique
          AND actual.indisvalid
          AND regexp_replace(pg_get_indexdef(actual.indexrelid), '^.* USING ', '') = definition.wanted)
 UNION ALL
SELECT relation, 10,
       full_name || ' lacks the trigger ' || expected.tgname || ', or it is disabled: run `python -m hoa_ops migrate`'
  FROM relations
  JOIN pg_trigger AS expected ON expected.tgrelid = expected_oid AND NOT expected.tgisinternal
 WHERE is_inserted
   AND is_table
   AND NOT EXISTS (
       SELECT FROM pg_trigger AS actual
        WHERE actual.tgrelid = actual_oid
          AND actual.tgenabled IN ('O', 'A')
          AND replace(pg_get_triggerdef(actual.oid), schema_name || '.', '')
            = replace(pg_get_triggerdef(expected.oid), expected_schema || '.', ''))
 UNION ALL
SELECT relation, 11,
       full_name || ' is a view with security_invoker, and the worker has no rights on the tables behind it: ALTER '
           'VIEW ' || full_name || ' SET (security_invoker = false)'
  FROM relations
  JOIN pg_class AS views ON views.oid = actual_oid AND views.relkind = 'v'
 CROSS JOIN LATERAL pg_options_to_table(views.reloptions) AS option
 WHERE option.option_name = 'security_invoker'
   AND option.option_value::boolean
 UNION ALL
SELECT '', 12,
       'The function ' || format('%%I.%%I', schemas.name, expected.proname)
           || ' is missing, or not the one of this release: run `python -m hoa_ops migrate`'
  FROM (SELECT DISTINCT schema_name AS name, expected_schema FROM relations) AS schemas
  JOIN pg_proc AS expected ON expected.pronamespace = schemas.expected_schema::regnamespace
 WHERE NOT EXISTS (
       SELECT FROM pg_proc AS actual
        WHERE actual.pronamespace = to_regnamespace(schemas.name)
          AND actual.proname = expected.proname
          AND actual.proargtypes = expected.proargtypes
          AND actual.prosrc = expected.prosrc
          AND actual.prosecdef = expected.prosecdef)
 ORDER BY relation, turn, difference
