"""Text from outside, before it is used."""

from __future__ import annotations


def is_storable(text: str) -> bool:
    """Say whether PostgreSQL can store a text: no NUL, and no surrogate (a byte that was not UTF-8)."""
    return not any(char == "\0" or "\ud800" <= char <= "\udfff" for char in text)
