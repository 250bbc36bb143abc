-- schema/deployment/version: the version of the tables, as the last migration left it.
SELECT version_num AS version FROM alembic_version
