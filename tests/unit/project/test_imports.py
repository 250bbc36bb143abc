"""What decides and posts can be imported where there is no Airflow; settings and database cost no import of it."""

import subprocess
import sys
from pathlib import Path

PLUGINS = Path(__file__).resolve().parents[3] / "plugins"
ROOMS = ("jobs", "engine", "books", "delivery")

IMPORT_ALL = """
import importlib, sys

sys.modules["airflow"] = None  # From here on, importing it is an error.
for name in sys.argv[1:]:
    importlib.import_module(name)
"""


def modules_of(room):
    files = sorted((PLUGINS / "hoa_ops" / room).rglob("*.py"))
    assert files
    return [".".join(file.relative_to(PLUGINS).with_suffix("").parts) for file in files if file.stem != "__init__"]


def test_settings_database_and_the_rooms_without_airflow_can_be_imported_where_there_is_none():
    modules = ["hoa_ops.settings", "hoa_ops.database", *(name for room in ROOMS for name in modules_of(room))]
    imported = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL, *modules], cwd=PLUGINS, capture_output=True, text=True, check=False
    )
    assert imported.returncode == 0, imported.stderr
