#!/usr/bin/env bash
# What must be in place before the other services start: Airflow's tables and first user, the associations' database with
# its roles, tables and rights. Safe to repeat.
set -euo pipefail

for name in AIRFLOW__DATABASE__SQL_ALCHEMY_CONN AIRFLOW__CELERY__BROKER_URL HOA_OPS_ADMIN_DSN HOA_OPS_OWNER_DSN AIRFLOW_CONN_HOA_OPS_DB; do
    password="${!name#*://*:}"
    password="${password%@*}"
    if [[ "$password" == *[!A-Za-z0-9_=-]* ]]; then
        echo "The password in $name stands in a URL: in .env, use letters, digits, -, _ and = only." >&2
        exit 1
    fi
done

airflow db migrate
airflow users create --role Admin --username="$ADMIN_USER" --password="$ADMIN_PASSWORD" \
    --firstname HOA --lastname Operations --email "$ADMIN_USER@localhost"

python -m hoa_ops create-roles
python -m hoa_ops migrate
python -m hoa_ops grant --role hoa_ops_worker
