-- schema/tables: the names of the tables of a schema; its views are left out.
SELECT relname AS table_name
  FROM pg_class
 WHERE relnamespace = to_regnamespace(%(schema)s)
   AND relkind IN ('r', 'p')
