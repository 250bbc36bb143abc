-- schema/deployment/role_faults: what the role that asks may do beyond the jobs' needs, and what it lacks, one sentence
-- a row.
WITH relations AS (
    SELECT pg_class.oid, pg_namespace.nspname AS schema, pg_class.relname AS table_name, pg_class.relowner AS owner,
           pg_namespace.nspname = ANY (%(schemas)s) AS is_ours,
           pg_namespace.nspname ~ '^pg_' OR pg_namespace.nspname = 'information_schema' AS is_system
      FROM pg_class
      JOIN pg_namespace ON pg_namespace.oid = pg_class.relnamespace
     WHERE pg_class.relkind IN ('r', 'v', 'm', 'p', 'f')
)
SELECT 'it has ' || attributes.name || ': ALTER ROLE … NO' || attributes.name AS fault
  FROM pg_roles
 CROSS JOIN LATERAL (VALUES ('SUPERUSER', rolsuper), ('CREATEROLE', rolcreaterole), ('CREATEDB', rolcreatedb),
                            ('REPLICATION', rolreplication), ('BYPASSRLS', rolbypassrls)) AS attributes (name, has)
 WHERE rolname = current_user AND attributes.has
 UNION ALL
SELECT 'it has all rights of the role ' || granted.rolname || ': revoke that role from it'
  FROM pg_auth_members
  JOIN pg_roles AS granted ON granted.oid = pg_auth_members.roleid
  JOIN pg_roles AS member ON member.oid = pg_auth_members.member
 WHERE member.rolname = current_user
 UNION ALL
SELECT 'it owns ' || schema || '.' || table_name || ': migrate as the owner, and let the jobs use another role'
  FROM relations
 WHERE owner = (SELECT oid FROM pg_roles WHERE rolname = current_user)
 UNION ALL
SELECT 'it may create ' || rights.things || ' in the database: REVOKE ' || rights.name || ' ON DATABASE '
           || current_database() || ' FROM PUBLIC and from it'
  FROM (VALUES ('CREATE', 'schemas'), ('TEMPORARY', 'temporary tables')) AS rights (name, things)
 WHERE has_database_privilege(current_database(), rights.name)
 UNION ALL
SELECT 'it may create tables in the schema ' || nspname || ': REVOKE CREATE ON SCHEMA ' || nspname
           || ' FROM PUBLIC and from it'
  FROM pg_namespace
 WHERE nspname !~ '^pg_' AND has_schema_privilege(oid, 'CREATE')
 UNION ALL
SELECT 'it may ' || string_agg(rights.name, ', ' ORDER BY rights.name) || ' on ' || schema || '.' || table_name
           || ': run `python -m hoa_ops grant` again'
  FROM relations
 CROSS JOIN unnest(ARRAY['DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) AS rights (name)
 WHERE is_ours AND has_table_privilege(oid, rights.name)
 GROUP BY schema, table_name
 UNION ALL
SELECT 'it may change ' || schema || '.' || table_name || ': run `python -m hoa_ops grant` again'
  FROM relations
 WHERE is_ours AND table_name IN ('journal_entries', 'journal_entry_lines', 'invoices', 'invoice_lines')
   AND has_any_column_privilege(oid, 'UPDATE')
 UNION ALL
SELECT 'it may read ' || schema || '.' || table_name || ', which is none of the jobs'' business: revoke that'
  FROM relations
 WHERE NOT is_ours AND NOT is_system AND has_schema_privilege(schema, 'USAGE')
   AND has_any_column_privilege(oid, 'SELECT')
 UNION ALL
SELECT 'it may not ' || rights.name || ' on ' || schema || '.' || table_name || ': run `python -m hoa_ops grant`'
  FROM relations
 CROSS JOIN LATERAL (VALUES ('SELECT', true),
                            ('INSERT', table_name IN ('journal_entries', 'invoices', 'runs', 'outbox')))
               AS rights (name, wanted)
 WHERE is_ours AND rights.wanted AND NOT has_table_privilege(oid, rights.name)
 ORDER BY fault
