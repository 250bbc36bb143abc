"""Airflow's plugin loader runs what lies in plugins/ under its bare file name; the package must be kept out of that."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

CHECKOUT = Path(__file__).resolve().parents[3]
LAYOUTS = {"the repository, containers, Astro": "include", "Amazon MWAA, Cloud Composer": "plugins/include"}
"""Where ``include/`` lies, beside ``plugins/`` or within it."""

LOAD = """
import json, sys
from pathlib import Path

sys.path.append(sys.argv[1])
import hoa_ops.operators.deliver_messages  # as a DAG file does

from airflow import plugins_manager

plugins, import_errors = plugins_manager._get_plugins()
ours = {
    name: str(Path(module.__file__).relative_to(sys.argv[1]))
    for name, module in sys.modules.items()
    if (getattr(module, "__file__", None) or "").startswith(sys.argv[1])
}
print(json.dumps({"plugins": [plugin.name for plugin in plugins], "import_errors": import_errors, "modules": ours}))
"""


@pytest.fixture(params=LAYOUTS.values(), ids=LAYOUTS.keys())
def plugins(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A copy of plugins/ in which a module of the package bears the name of a standard one."""
    copy = tmp_path / "plugins"
    shutil.copytree(CHECKOUT / "plugins", copy, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(CHECKOUT / "include", tmp_path / request.param, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "hoa_ops" / "delivery" / "calendar.py").write_text("day_name = None\n")
    # Run under its bare name, it would end the loader itself.
    (copy / "hoa_ops" / "__main__.py").unlink()
    return copy


def load(plugins: Path) -> dict[str, Any]:
    """Let Airflow load its plugins in a process of their own; return what it then has of the folder."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW_")}
    environment |= {
        "AIRFLOW_HOME": str(plugins.parent / "airflow"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(plugins),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "PYTHONPATH": "",
    }
    process = subprocess.run(
        [sys.executable, "-c", LOAD, str(plugins)], env=environment, capture_output=True, text=True, check=True
    )
    loaded: dict[str, Any] = json.loads(process.stdout.splitlines()[-1])
    return loaded


def faults(loaded: dict[str, Any]) -> set[str]:
    """Return the modules that are in the process under a name that is not theirs."""
    return {
        name
        for name, file in loaded["modules"].items()
        if name != file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    }


def test_the_package_is_loaded_once_and_under_its_own_name(plugins: Path) -> None:
    loaded = load(plugins)
    assert faults(loaded) == set()
    assert loaded["import_errors"] == {}
    assert "hoa_ops" in loaded["plugins"]
    assert "hoa_ops.delivery.outbox" in loaded["modules"]
    files = list(loaded["modules"].values())
    assert len(files) == len(set(files))


def test_without_the_guard_it_would_be_loaded_twice_and_shadow_the_standard_library(plugins: Path) -> None:
    (plugins / ".airflowignore").unlink()
    loaded = load(plugins)
    assert {"calendar", "outbox", "message", "errors"} <= faults(loaded)
    if (plugins / "include").exists():
        assert "env" in faults(loaded) | {Path(file).stem for file in loaded["import_errors"]}
