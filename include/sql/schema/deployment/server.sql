-- schema/deployment/server: the version of PostgreSQL, and whether the package's tables were ever made here.
SELECT current_setting('server_version') AS server_version, to_regclass('alembic_version') IS NOT NULL AS has_tables
