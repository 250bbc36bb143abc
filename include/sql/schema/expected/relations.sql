{#- The relations that the package expects, beside those of the same names that are there.
    Gives the CTEs `relations` (one row a table or view; actual_oid is null where there is none) and `columns` (one row
    a column of those that are there; actual_number is null where it is missing). -#}
relations AS (
    SELECT schemas.name AS schema_name, schemas.expected_schema, schemas.is_operations,
           expected.oid AS expected_oid, expected.relname AS relation, expected.relkind AS expected_kind,
           actual.oid AS actual_oid, actual.relkind AS kind, actual.relkind IN ('r', 'p') AS is_table,
           format('%%I.%%I', schemas.name, expected.relname) AS full_name,
           has_table_privilege(%(role)s::name, expected.oid, 'INSERT') AS is_inserted
      FROM (VALUES (%(expected_associations)s::text, %(associations)s::text, false),
                   (%(expected_operations)s, %(operations)s, true)) AS schemas (expected_schema, name, is_operations)
      JOIN pg_class AS expected
        ON expected.relnamespace = schemas.expected_schema::regnamespace
       AND expected.relkind IN ('r', 'v')
      LEFT JOIN pg_class AS actual
        ON actual.relnamespace = to_regnamespace(schemas.name)
       AND actual.relname = expected.relname
       AND actual.relkind IN ('r', 'p', 'v', 'm', 'f')
),
columns AS (
    SELECT relations.*, expected.attname AS column_name, expected.attnum AS expected_number,
           expected.atttypid AS expected_type, expected.atttypmod AS expected_modifier,
           expected.attnotnull AS is_required,
           format_type(expected.atttypid, expected.atttypmod) AS expected_type_name,
           pg_get_expr(expected_default.adbin, expected_default.adrelid) AS expected_default,
           actual.attnum AS actual_number, actual.atttypid AS actual_type, actual.atttypmod AS actual_modifier,
           actual.attnotnull AS is_filled, actual.atthasdef AS has_default,
           format_type(actual.atttypid, actual.atttypmod) AS actual_type_name
      FROM relations
      JOIN pg_attribute AS expected
        ON expected.attrelid = expected_oid
       AND expected.attnum > 0
       AND NOT expected.attisdropped
      LEFT JOIN pg_attrdef AS expected_default
        ON expected_default.adrelid = expected_oid AND expected_default.adnum = expected.attnum
      LEFT JOIN pg_attribute AS actual
        ON actual.attrelid = actual_oid
       AND actual.attname = expected.attname
       AND actual.attnum > 0
       AND NOT actual.attisdropped
     WHERE actual_oid IS NOT NULL
)
