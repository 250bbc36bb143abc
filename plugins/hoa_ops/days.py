"""How people write a day, and which days there are."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import date

YEARS = range(2000, 2100)
"""The years in which anything may be dated; one outside is a slip of the keyboard."""


def read_day(text: str) -> date:
    """Read a day written as YYYY-MM-DD.

    :raises ValueError: with a sentence that says how to write it.
    """
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        with suppress(ValueError):
            day = date.fromisoformat(text)
            if day.year in YEARS:
                return day
    raise ValueError(f"write the date as YYYY-MM-DD, such as 2025-10-29, from {YEARS[0]} to {YEARS[-1]}")
