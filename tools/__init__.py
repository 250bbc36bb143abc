"""What maintainers run: packages for managed platforms, other versions of Python and Airflow, the benchmark."""
