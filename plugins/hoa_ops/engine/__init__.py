"""The engine: plans and posts a job for every association, keeps the run ledger, reports. It knows no Airflow."""
