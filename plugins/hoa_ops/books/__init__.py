"""The books: statements of account, aging, integrity checks, reversals."""
