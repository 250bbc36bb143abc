"""The database schema: migrations, functions, roles, and checks of a database."""
