"""The whole project on one machine without Docker: PostgreSQL, a mail sink, real Airflow. Never deployed."""
