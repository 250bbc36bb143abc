"""The command line, ``python -m hoa_ops``: one module a command."""
