#!/usr/bin/env bash
# Creates the role and the database of Airflow itself. PostgreSQL's image runs it once, when the data folder is made.
set -e

psql --set ON_ERROR_STOP=1 --username "${POSTGRES_USER:-postgres}" --dbname postgres <<'SQL'
\getenv password AIRFLOW_DATABASE_PASSWORD
CREATE ROLE airflow LOGIN PASSWORD :'password';
CREATE DATABASE airflow OWNER airflow;
REVOKE ALL ON DATABASE airflow FROM PUBLIC;
SQL
