"""Text from outside, before it is used."""

from __future__ import annotations

import re


def is_storable(text: str) -> bool:
    """Say whether PostgreSQL can store a text: no NUL, and no surrogate (a byte that was not UTF-8)."""
    return not any(char == "\0" or "\ud800" <= char <= "\udfff" for char in text)


def on_one_line(text: str) -> str:
    """Return a text with everything that does not print, such as a line break, escaped."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


def is_mail_address(text: str) -> bool:
    """Say whether a person wrote one bare e-mail address, such as you@example.com."""
    return re.fullmatch(r"[^\s@,;<>\"]+@[^\s@,;<>\"]+", text) is not None
