"""What every DAG file of the project owes to whoever runs it."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag

from hoa_ops.jobs import jobs_of
from hoa_ops.settings import get_settings

CHECKOUT = Path(__file__).resolve().parents[3]
FILES = sorted((CHECKOUT / "dags").glob("*.py"))

# The crontab that the DAGs replace.
CRONTAB = {
    "hoa_monthly_billing": ["0 2 1 * *", "0 3 6 * *", "0 8 * * 1"],
    "hoa_violation_escalation": ["0 6 * * *"],
    "hoa_budget_variance": ["0 9 * * 1"],
}

PARSE = """
import importlib.util, json, socket, sqlite3, sys, traceback

import airflow.sdk
import psycopg

attempts = []

def refused(*_arguments, **_options):
    # Airflow takes an unreachable database for a Variable that is not set; so the attempt itself must be remembered.
    attempts.append(True)
    raise OSError("refused")

socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = refused
sqlite3.connect = sqlite3.dbapi2.connect = psycopg.connect = psycopg.Connection.connect = refused
outcomes = {}
for number, file in enumerate(sys.argv[1:]):
    attempts.clear()
    error = ""
    spec = importlib.util.spec_from_file_location(f"dag_file_{number}", file)
    try:
        spec.loader.exec_module(importlib.util.module_from_spec(spec))
    except Exception:
        error = traceback.format_exc()
    outcomes[file] = "opens a connection" if attempts else error
print(json.dumps(outcomes))
"""
CARELESS = {
    "airflow.py": "from airflow.models import Variable\nVariable.get('hoa_ops_switched_off', default_var='')",
    "associations.py": "import psycopg\npsycopg.connect('postgresql://127.0.0.1:9/hoa')",
    "network.py": "import urllib.request\nurllib.request.urlopen('http://127.0.0.1:9/')",
}


@pytest.fixture(scope="module")
def dag_bag() -> DagBag:
    return DagBag(CHECKOUT / "dags")


@pytest.fixture(params=FILES, ids=lambda file: file.stem)
def file(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


@pytest.fixture
def dag(file: Path, dag_bag: DagBag) -> Any:
    assert dag_bag.import_errors == {}
    return dag_bag.dags[file.stem]


def test_every_file_holds_the_one_dag_it_is_named_for(dag_bag: DagBag) -> None:
    assert dag_bag.import_errors == {}
    assert {dag_id: Path(dag.fileloc).stem for dag_id, dag in dag_bag.dags.items()} == {
        file.stem: file.stem for file in FILES
    }


def test_dag_says_what_it_does_and_what_to_do_when_it_fails(dag: Any) -> None:
    assert dag.description
    assert "hoa" in dag.tags
    assert len(dag.tags) > 1
    assert dag.doc_md.strip().startswith("### ")
    triage = dag.doc_md.partition("#### When a task fails")[2]
    looks_on = {"CompleteRunOperator", "PrintReportOperator"}
    can_fail = {task.task_id for task in dag.tasks if task.task_type not in looks_on}
    assert {"check_params", "deliver_messages"} < can_fail
    assert [task_id for task_id in can_fail if f"`{task_id}`" not in triage] == []


def test_dag_runs_on_the_crontab_s_schedule_in_the_deployment_s_time_zone(dag: Any) -> None:
    timetable = dag.timetable.serialize()
    assert timetable.get("expressions", [timetable.get("expression")]) == CRONTAB[dag.dag_id]
    assert timetable["timezone"] == get_settings().timezone == "America/New_York"
    assert [job.cron for job in jobs_of(dag.dag_id)] == CRONTAB[dag.dag_id]


def test_missed_runs_are_not_backfilled_and_one_run_does_not_hold_up_the_next(dag: Any) -> None:
    assert dag.catchup is False
    assert {run_type.value for run_type in dag.allowed_run_types} == {"scheduled", "manual", "operator_triggered"}
    assert dag.max_active_runs > 1
    assert dag.start_date.year == 2025


def test_every_task_has_an_owner_and_retries(dag: Any) -> None:
    assert {task.owner for task in dag.tasks} == {"hoa-ops"}
    assert {task.retries for task in dag.tasks} == {get_settings().task_retries}
    assert get_settings().task_retries >= 1
    assert all(task.retry_delay.total_seconds() > 0 for task in dag.tasks)


def test_params_are_those_of_the_request_and_explain_themselves(dag: Any) -> None:
    [request] = {job.request for job in jobs_of(dag.dag_id)}
    assert list(dag.params) == list(request.model_fields)
    for name in dag.params:
        param = dag.params.get_param(name)
        assert param.schema["title"]
        assert param.description
        assert "type" in param.schema or "enum" in param.schema


def test_dag_file_is_wiring_only(file: Path) -> None:
    logic = (
        ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda, ast.If, ast.IfExp, ast.For, ast.While, ast.Try,
    )  # fmt: skip
    assert [node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, logic)] == []


@pytest.fixture(scope="module")
def parsed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What went wrong in each file, in a process without Connections that reaches neither database nor network."""
    folder = tmp_path_factory.mktemp("parse")
    careless = [folder / name for name in CARELESS]
    for path in careless:
        path.write_text(CARELESS[path.name])
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW_")}
    environment |= {
        "AIRFLOW_HOME": str(folder),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "PYTHONPATH": str(CHECKOUT / "plugins"),
    }
    process = subprocess.run(
        [sys.executable, "-c", PARSE, *FILES, *careless], env=environment, capture_output=True, text=True, check=True
    )
    return {Path(file).name: fault for file, fault in json.loads(process.stdout.splitlines()[-1]).items()}


def test_parsing_touches_neither_database_nor_network(file: Path, parsed: dict[str, str]) -> None:
    assert parsed[file.name] == ""


@pytest.mark.parametrize("name", CARELESS)
def test_file_that_opens_a_connection_is_caught(name: str, parsed: dict[str, str]) -> None:
    assert parsed[name] == "opens a connection"
