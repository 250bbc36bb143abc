"""What each platform is given works in that platform's folders, with nothing else on the path and nothing to set.

Only the folders are the platform's: the Airflow is the tests' own.
"""

import json
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import psycopg
import pytest

from devstack import demo_data
from devstack.postgres import EmbeddedPostgres
from tests.support.database import OWNER, PASSWORD, WORKER
from tools import package

CHECKOUT = Path(__file__).resolve().parents[3]
DAGS = {"hoa_budget_variance", "hoa_monthly_billing", "hoa_violation_escalation"}

AS_DAG_PROCESSOR_AND_WORKER = """
import json, sys
from airflow import plugins_manager
from airflow.__main__ import main
from airflow.dag_processing.dagbag import DagBag
from airflow.serialization.serialized_objects import DagSerialization

bag = DagBag()
plugins, plugin_errors = plugins_manager._get_plugins()

from hoa_ops.settings import get_settings

print("@@@", json.dumps({
    "dags": {dag_id: DagSerialization.to_dict(dag) for dag_id, dag in bag.dags.items()},
    "import_errors": bag.import_errors,
    "plugins": [plugin.name for plugin in plugins],
    "plugin_errors": plugin_errors,
    "include": str(get_settings().include_dir),
    "files": {name: module.__file__ for name, module in sys.modules.items() if getattr(module, "__file__", None)},
}))
sys.argv = ["airflow", "tasks", "test", *sys.argv[1:]]
main()
"""

AS_SCHEDULER_AND_TRIGGERER = """
import json, sys
from importlib import import_module

from airflow.serialization.serialized_objects import DagSerialization

def callbacks(stored):
    if isinstance(stored, dict):
        found = [stored["path"]] if isinstance(stored.get("path"), str) else []
        return found + [path for value in stored.values() for path in callbacks(value)]
    return [path for value in stored for path in callbacks(value)] if isinstance(stored, list) else []

told = {}
for dag_id, stored in json.load(sys.stdin).items():
    dag = DagSerialization.from_dict(stored)
    paths = callbacks(stored["dag"]["deadline"])
    for path in paths:
        module, _, name = path.rpartition(".")
        getattr(import_module(module), name)
    told[dag_id] = {
        "next": dag.next_dagrun_info(last_automated_run_info=None).run_after.isoformat(),
        "tasks": sorted(dag.task_ids),
        "callbacks": sorted(paths),
    }
ours = [name for name in sys.modules if name.split(".")[0].startswith("hoa_")]
print("@@@", json.dumps({"dags": told, "ours": ours}))
"""


@dataclass(frozen=True)
class Layout:
    """Where a platform has Airflow's home, and the folder with ``dags/`` and ``plugins/``."""

    home: str
    folder: str
    include: str


LAYOUTS = {
    "mwaa": Layout("usr/local/airflow", "usr/local/airflow", "plugins/include"),
    "composer": Layout("home/airflow", "home/airflow/gcs", "plugins/include"),
    "astro": Layout("usr/local/airflow", "usr/local/airflow", "include"),
}


class Platform:
    """A platform's file system with the package unpacked, and processes that know of nothing else."""

    def __init__(self, name: str, root: Path, metadata: Path, worker_dsn: str, owner_dsn: str) -> None:
        self.layout = LAYOUTS[name]
        self.root = root
        self.folder = root / self.layout.folder
        self.plugins = self.folder / "plugins"
        self.owner_dsn = owner_dsn
        home = root / self.layout.home
        home.mkdir(parents=True)
        shutil.copy(metadata, home / "airflow.db")
        self.environment = {
            "PATH": "/usr/bin:/bin",
            "HOME": str(root),
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__CORE__DAGS_FOLDER": str(self.folder / "dags"),
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(self.plugins),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW_CONN_HOA_OPS_DB": worker_dsn,
            # The two things that a deployment would set: its time zone, and where alerts go.
            "AIRFLOW__HOA_OPS__TIMEZONE": "America/New_York",
            "AIRFLOW__HOA_OPS__LIVE_RUN_DAYS": "36500",
            "AIRFLOW__HOA_OPS__ALERT_SLACK_CONN_ID": "hoa_ops_slack",
            "AIRFLOW__HOA_OPS__ALERT_EMAIL": "operations@hoa-ops.example",
        }

    def python(self, *arguments: str, said: str = "", **variables: str) -> str:
        """Run Python in the root folder of the platform; return what it printed."""
        process = subprocess.run(
            [sys.executable, *arguments],
            cwd=self.root,
            env=self.environment | variables,
            input=said,
            capture_output=True,
            text=True,
            check=False,
        )
        assert process.returncode == 0, process.stdout + process.stderr
        return process.stdout

    def hoa_ops(self, *arguments: str) -> str:
        """Run a command of the package as the schema owner, as from a laptop or a pipeline."""
        return self.python("-m", "hoa_ops", *arguments, PYTHONPATH=str(self.plugins), HOA_OPS_OWNER_DSN=self.owner_dsn)


def facts(output: str) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(next(line for line in output.splitlines() if line.startswith("@@@ "))[4:])
    return told


def unpack(package_folder: Path, target: Path) -> None:
    """Put the files where the platform would: as they are, and ``plugins.zip`` as ``plugins/``."""
    shutil.copytree(package_folder, target, dirs_exist_ok=True)
    if (target / "plugins.zip").exists():
        with zipfile.ZipFile(target / "plugins.zip") as archive:
            archive.extractall(target / "plugins")
        (target / "plugins.zip").unlink()


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("dist")
    package.build(target)
    return target


@pytest.fixture(scope="module")
def metadata(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Airflow's own database, made once and copied."""
    home = tmp_path_factory.mktemp("metadata")
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(home), "AIRFLOW_HOME": str(home)}
    subprocess.run(
        [sys.executable, "-m", "airflow", "db", "migrate"], cwd=home, env=environment, capture_output=True, check=True
    )
    return home / "airflow.db"


@pytest.fixture(scope="module", params=sorted(LAYOUTS))
def platform(
    request: pytest.FixtureRequest,
    packages: Path,
    metadata: Path,
    postgres: EmbeddedPostgres,
    tmp_path_factory: pytest.TempPathFactory,
) -> Platform:
    """A platform with a database that it set up itself and that holds the demo's associations."""
    database = f"associations_on_{request.param}"
    postgres.create_database(database, owner=OWNER)
    owner_dsn = postgres.dsn(database, OWNER, PASSWORD)
    root = tmp_path_factory.mktemp(request.param)
    platform = Platform(request.param, root, metadata, postgres.dsn(database, WORKER, PASSWORD), owner_dsn)
    unpack(packages / request.param, platform.folder)
    platform.hoa_ops("migrate")
    platform.hoa_ops("grant", "--role", WORKER)
    platform.hoa_ops("go-live", "--all-jobs", "--who", "a test", "--why", "to see it post")
    demo_data.load(owner_dsn)
    return platform


@pytest.fixture(scope="module")
def run(platform: Platform) -> str:
    """The output of one process that loads everything and then runs a task."""
    params = {"as_of": "2025-10-29", "tenant": "sunset-ridge"}
    task = ("hoa_budget_variance", "check_budget_variances", "2025-10-29T13:00:00+00:00")
    return platform.python("-c", AS_DAG_PROCESSOR_AND_WORKER, *task, "--task-params", json.dumps(params))


def test_dags_and_plugin_load_from_the_package_alone(platform: Platform, run: str) -> None:
    told = facts(run)
    assert told["dags"].keys() == DAGS
    assert told["import_errors"] == {}
    assert "hoa_ops" in told["plugins"]
    assert told["plugin_errors"] == {}
    assert told["include"] == str(platform.folder / platform.layout.include)
    assert [file for file in told["files"].values() if file.startswith(f"{CHECKOUT}/plugins")] == []


def test_modules_load_only_under_their_own_names(platform: Platform, run: str) -> None:
    ours = {
        name: file.removeprefix(f"{platform.plugins}/")
        for name, file in facts(run)["files"].items()
        if file.startswith(str(platform.plugins))
    }
    assert ours["hoa_ops.operators.check_budget_variances"] == "hoa_ops/operators/check_budget_variances.py"
    strangers = {
        name
        for name, file in ours.items()
        if name != file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    }
    assert strangers == set()


def test_a_task_runs_as_the_worker_and_prints_its_report(platform: Platform, run: str) -> None:
    assert "⚠ Landscaping - Budgeted: $12,000.00 - Actual: $14,500.00 - Variance: $2,500.00 (+20.8%) - WARNING" in run
    assert "Total Alerts: 2" in run
    with psycopg.connect(platform.owner_dsn) as connection:
        messages = connection.execute("SELECT subject FROM hoa_ops.outbox").fetchall()
    assert {subject for (subject,) in messages} == {"Budget Alert - 2025 Operating Budget"}


@pytest.mark.parametrize("platform", ["composer"], indirect=True)  # which keeps plugins from both
def test_scheduler_and_triggerer_do_not_need_the_package(platform: Platform, run: str, tmp_path: Path) -> None:
    stored = json.dumps(facts(run)["dags"])
    nothing = {"AIRFLOW__CORE__DAGS_FOLDER": str(tmp_path), "AIRFLOW__CORE__PLUGINS_FOLDER": str(tmp_path)}
    told = facts(platform.python("-c", AS_SCHEDULER_AND_TRIGGERER, said=stored, **nothing))
    assert told["ours"] == []
    assert told["dags"].keys() == DAGS
    for dag in told["dags"].values():
        assert dag["next"] > "2025-01-01"
        assert "check_params" in dag["tasks"]
        assert dag["callbacks"] == [
            "airflow.providers.slack.notifications.slack_webhook.SlackWebhookNotifier",
            "airflow.providers.smtp.notifications.smtp.SmtpNotifier",
        ]


def files_in(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_package_holds_every_project_file_and_nothing_ignored_by_git(packages: Path) -> None:
    def git(*arguments: str, said: str = "") -> list[str]:
        command = ["git", *arguments]
        told = subprocess.run(command, cwd=CHECKOUT, input=said, capture_output=True, text=True, check=False)
        assert told.stderr == ""
        return told.stdout.splitlines()

    shipped = files_in(packages / "astro")
    assert shipped.keys() >= set(git("ls-files", "dags", "plugins", "include"))
    assert git("check-ignore", "--stdin", said="\n".join(shipped)) == []


def test_packages_differ_only_in_where_things_are(packages: Path) -> None:
    composer = {
        f"plugins/{path}" if path.startswith("include/") else path: content
        for path, content in files_in(packages / "astro").items()
    }
    assert files_in(packages / "composer") == composer
    mwaa = files_in(packages / "mwaa")
    with zipfile.ZipFile(BytesIO(mwaa.pop("plugins.zip"))) as archive:
        assert mwaa | {f"plugins/{name}": archive.read(name) for name in archive.namelist()} == composer


def test_same_files_make_the_same_bytes(packages: Path, tmp_path: Path) -> None:
    package.build(tmp_path)
    assert files_in(tmp_path) == files_in(packages)


def test_files_of_an_earlier_package_are_deleted(tmp_path: Path) -> None:
    package.build(tmp_path)
    left = tmp_path / "composer" / "dags" / "hoa_removed.py"
    left.touch()
    package.build(tmp_path)
    assert not left.exists()


@pytest.mark.parametrize("name", sorted(LAYOUTS))
def test_requirements_do_not_install_airflow_itself(packages: Path, name: str) -> None:
    lines = (packages / name / "requirements.txt").read_text().splitlines()
    assert any(line.startswith("apache-airflow-providers-postgres") for line in lines)
    assert [
        line for line in lines if not line.strip() or line.startswith(("#", "-", "apache-airflow>", "apache-airflow="))
    ] == []
