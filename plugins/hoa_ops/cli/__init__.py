"""The command line, ``python -m hoa_ops``: one module a command, named after it.

A command's module has two functions: ``add_arguments(parser)`` and ``run(given)``, which returns the exit status (none
is 0). They read arguments and print; the work is done in the other rooms.
"""
