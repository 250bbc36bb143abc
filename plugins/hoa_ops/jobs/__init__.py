"""The jobs: everything that is special to each of them, said once."""
