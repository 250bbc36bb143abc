"""Monitoring: health, alerts, and the pages in Airflow's web server."""
