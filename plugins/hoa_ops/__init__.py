"""HOA Ops: the recurring money work of homeowners' associations, as Airflow operators and set-based SQL."""
