"""The demo's two associations, as SQL files that run in the order of their names.

They tell of October 29, 2025. The first file moves every date where the setting ``demo.today`` names another day.
"""

from datetime import date
from pathlib import Path

import psycopg

SCHEMA = "hoa"
FOLDER = Path(__file__).parent


def script() -> str:
    """Return all files as one script, for a session whose search path leads to the associations' tables."""
    return "".join(file.read_text() for file in sorted(FOLDER.glob("*.sql")))


def load(owner_dsn: str, *, today: date | None = None) -> bool:
    """Load the associations into an empty database, and return whether it was empty.

    :param owner_dsn: of the schema owner.
    :param today: the day that the data look back from; default: October 29, 2025.
    """
    options = f"-c search_path={SCHEMA}" + (f" -c demo.today={today.isoformat()}" if today else "")
    with psycopg.connect(owner_dsn, options=options) as connection:
        if connection.execute("SELECT FROM tenants LIMIT 1").fetchone() is not None:
            return False
        connection.execute(script().encode())
    return True
