-- schema/deployment/role_faults: the rights that the current role has beyond what the jobs need, and those that it
-- lacks, one sentence a row.
WITH relations AS (
    SELECT pg_class.oid, pg_namespace.nspname AS schema, pg_class.relname AS table_name, pg_class.relowner AS owner,
           pg_namespace.nspname = ANY (%(schemas)s) AS is_ours,
           pg_namespace.nspname ~ '^pg_' OR pg_namespace.nspname = 'information_schema' AS is_system
      FROM pg_class
      JOIN pg_namespace ON pg_namespace.oid = pg_class.relnamespace
     WHERE pg_class.relkind IN ('r', 'v', 'm', 'p', 'f')
)
SELECT 'it has ' || attributes.name || ': ALTER ROLE ' || quote_ident(current_user) || ' NO' || attributes.name AS fault
  FROM pg_roles
 CROSS JOIN LATERAL (VALUES ('SUPERUSER', rolsuper), ('CREATEROLE', rolcreaterole), ('CREATEDB', rolcreatedb),
                            ('REPLICATION', rolreplication), ('BYPASSRLS', rolbypassrls)) AS attributes (name, has)
 WHERE rolname = current_user AND attributes.has
 UNION ALL
SELECT 'it is a member of the role ' || granted.rolname || ' and has all of its rights: REVOKE '
           || quote_ident(granted.rolname) || ' FROM ' || quote_ident(current_user)
  FROM pg_auth_members
  JOIN pg_roles AS granted ON granted.oid = pg_auth_members.roleid
  JOIN pg_roles AS member ON member.oid = pg_auth_members.member
 WHERE member.rolname = current_user
 UNION ALL
SELECT 'it owns ' || schema || '.' || table_name
           || ': the jobs must connect as a role that owns nothing (`python -m hoa_ops create-roles`)'
  FROM relations
 WHERE owner = (SELECT oid FROM pg_roles WHERE rolname = current_user)
 UNION ALL
SELECT 'it can create ' || rights.things || ' in the database: REVOKE ' || rights.name || ' ON DATABASE '
           || quote_ident(current_database()) || ' FROM PUBLIC, ' || quote_ident(current_user)
  FROM (VALUES ('CREATE', 'schemas'), ('TEMPORARY', 'temporary tables')) AS rights (name, things)
 WHERE has_database_privilege(current_database(), rights.name)
 UNION ALL
SELECT 'it can create tables in the schema ' || nspname || ': REVOKE CREATE ON SCHEMA ' || quote_ident(nspname)
           || ' FROM PUBLIC, ' || quote_ident(current_user)
  FROM pg_namespace
 WHERE nspname !~ '^pg_' AND has_schema_privilege(oid, 'CREATE')
 UNION ALL
SELECT 'it has ' || string_agg(rights.name, ', ' ORDER BY rights.name) || ' on ' || schema || '.' || table_name
           || ': run `python -m hoa_ops grant` again'
  FROM relations
 CROSS JOIN unnest(ARRAY['DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) AS rights (name)
 WHERE is_ours AND has_table_privilege(oid, rights.name)
 GROUP BY schema, table_name
 UNION ALL
SELECT 'it can update ' || schema || '.' || table_name || ': run `python -m hoa_ops grant` again'
  FROM relations
 WHERE is_ours AND table_name IN ('journal_entries', 'journal_entry_lines', 'invoices', 'invoice_lines')
   AND has_any_column_privilege(oid, 'UPDATE')
 UNION ALL
SELECT 'it can read ' || schema || '.' || table_name || ', which the jobs do not need: REVOKE SELECT ON '
           || format('%%I.%%I', schema, table_name) || ' FROM PUBLIC, ' || quote_ident(current_user)
  FROM relations
 WHERE NOT is_ours AND NOT is_system AND has_schema_privilege(schema, 'USAGE')
   AND has_any_column_privilege(oid, 'SELECT')
 UNION ALL
SELECT 'it lacks ' || rights.name || ' on ' || schema || '.' || table_name || ': run `python -m hoa_ops grant`'
  FROM relations
 CROSS JOIN LATERAL (VALUES ('SELECT', true),
                            ('INSERT', table_name IN ('journal_entries', 'invoices', 'runs', 'outbox')))
               AS rights (name, wanted)
 WHERE is_ours AND rights.wanted AND NOT has_table_privilege(oid, rights.name)
 UNION ALL
SELECT 'it lacks EXECUTE on the function ' || pg_namespace.nspname || '.' || pg_proc.proname
           || ': run `python -m hoa_ops grant`'
  FROM pg_proc
  JOIN pg_namespace ON pg_namespace.oid = pg_proc.pronamespace
 WHERE pg_namespace.nspname = ANY (%(schemas)s)
   AND pg_proc.prorettype <> 'trigger'::regtype
   AND NOT has_function_privilege(pg_proc.oid, 'EXECUTE')
 ORDER BY fault
