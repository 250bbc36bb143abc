"""What maintainers run: the SQL check, packages for managed platforms, other Pythons and Airflows, the benchmark."""
