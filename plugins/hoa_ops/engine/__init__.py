"""The engine: plans and posts a job for every association, keeps the run ledger, writes the report. Knows no Airflow."""
