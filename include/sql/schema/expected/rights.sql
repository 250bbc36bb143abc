-- schema/expected/rights: the rights that the role of the jobs lacks or has too much of, one sentence a row.
WITH {% include 'schema/expected/relations.sql' %},
rights AS (
    SELECT full_name AS object, privilege,
           has_table_privilege(%(role)s::name, expected_oid, privilege) AS is_expected,
           has_table_privilege(%(role)s::name, actual_oid, privilege) AS is_given
      FROM relations
     CROSS JOIN unnest(ARRAY['SELECT', 'INSERT', 'DELETE', 'TRUNCATE']) AS privilege
     WHERE actual_oid IS NOT NULL
     UNION ALL
    SELECT full_name || '.' || column_name, 'UPDATE',
           has_column_privilege(%(role)s::name, expected_oid, expected_number, 'UPDATE'),
           has_column_privilege(%(role)s::name, actual_oid, actual_number, 'UPDATE')
      FROM columns
     WHERE actual_number IS NOT NULL
     UNION ALL
    SELECT format('%%I.%%I', schemas.schema_name, actual.proname), 'EXECUTE', true,
           has_function_privilege(%(role)s::name, actual.oid, 'EXECUTE')
      FROM (SELECT DISTINCT schema_name, expected_schema FROM relations) AS schemas
      JOIN pg_proc AS expected ON expected.pronamespace = schemas.expected_schema::regnamespace
      JOIN pg_proc AS actual
        ON actual.pronamespace = to_regnamespace(schemas.schema_name)
       AND actual.proname = expected.proname
       AND actual.proargtypes = expected.proargtypes
     UNION ALL
    SELECT format('schema %%I', schema_name), 'USAGE', true, has_schema_privilege(%(role)s::name, schema_name, 'USAGE')
      FROM (SELECT DISTINCT schema_name FROM relations WHERE actual_oid IS NOT NULL) AS schemas
)
SELECT %(role)s::text || CASE WHEN is_expected THEN ' lacks ' ELSE ' should not have ' END || privilege || ' on '
           || array_to_string((array_agg(object ORDER BY object))[1:3], ', ')
           || CASE WHEN count(*) > 3 THEN ' and ' || count(*) - 3 || ' more' ELSE '' END
           || ': run `python -m hoa_ops grant --role ' || %(role)s || '`' AS difference
  FROM rights
 WHERE is_expected <> is_given
 GROUP BY privilege, is_expected
 ORDER BY difference
