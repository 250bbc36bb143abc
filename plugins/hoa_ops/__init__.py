"""HOA Ops: the recurring money work of homeowners' associations, as Airflow operators and set-based SQL."""

__version__ = "0.2.0.dev0"
