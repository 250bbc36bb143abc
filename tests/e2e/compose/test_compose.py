"""docker-compose.yaml: it is complete, knows no default secret, and runs the DAGs with two real Celery workers."""

import json
import re
import runpy
import shutil
import stat
import subprocess

import psycopg
import pytest
import yaml

from devstack import demo_data
from devstack.airflow import CHECKOUT
from devstack.airflow_api import AirflowApi
from devstack.waiting import wait_until
from tests.e2e.compose.native_compose import NativeCompose, read_env_file, services

DAGS = ("hoa_monthly_billing", "hoa_violation_escalation", "hoa_budget_variance")


@pytest.fixture(scope="module")
def env_file(tmp_path_factory):
    """The .env that a newcomer makes, in a copy of the project's folder."""
    project = tmp_path_factory.mktemp("project")
    shutil.copytree(CHECKOUT / "compose", project / "compose")
    shutil.copy(CHECKOUT / ".env.example", project)
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(project / "compose" / "new_env.py"), run_name="__main__")
    assert ended.value.code == 0
    return project / ".env"


@pytest.fixture(scope="module")
def variables(env_file):
    return read_env_file(env_file)


# What the file says. ---------------------------------------------------------------------------------------------


def test_new_env_has_a_secret_of_its_own_in_every_place_and_is_for_its_owner_only(env_file, variables):
    secrets = [value for name, value in variables.items() if re.search("PASSWORD$|KEY$|SECRET$", name)]
    assert len(secrets) == len(set(secrets)) == 9
    assert all(len(secret) >= 40 for secret in secrets)
    assert stat.S_IMODE(env_file.stat().st_mode) == 0o600


def test_new_env_never_overwrites_secrets_that_are_in_use(env_file, capsys):
    before = env_file.read_text()
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(env_file.parent / "compose" / "new_env.py"), run_name="__main__")
    assert ended.value.code == 1
    assert env_file.read_text() == before
    assert "there already" in capsys.readouterr().err


def test_no_service_starts_while_a_secret_is_missing(variables):
    for name in variables:
        if re.search("PASSWORD$|KEY$|SECRET$", name):
            with pytest.raises(ValueError, match=f"{name} is missing"):
                services(variables | {name: ""})


def test_file_itself_holds_no_secret():
    text = (CHECKOUT / "docker-compose.yaml").read_text() + (CHECKOUT / ".env.example").read_text()
    assert re.findall(r"^\s*\w*(?:PASSWORD|KEY|SECRET)\w*[:=] *[^\s$\n].*$", text, re.MULTILINE) == []


def test_only_the_migration_knows_the_owner_and_the_administrator(variables):
    for name, service in services(variables).items():
        known = json.dumps(service.get("environment", {}))
        assert (variables["HOA_OPS_OWNER_PASSWORD"] in known) == (name == "migrate")
        assert (variables["POSTGRES_PASSWORD"] in known) == (name in {"migrate", "postgres"})


def test_nothing_is_reachable_from_outside_this_machine(variables):
    ports = [port for service in services(variables).values() for port in service.get("ports", [])]
    assert ports == ["127.0.0.1:8080:8080", "127.0.0.1:8025:8025"]


def test_every_service_is_restarted_checked_and_bounded_in_its_logs(variables):
    for name, service in services(variables).items():
        assert service["logging"]["options"] == {"max-size": "20m", "max-file": "5"}
        if name == "migrate":
            assert service["restart"] == "no"
        else:
            assert service["restart"] == "unless-stopped"
            assert service["healthcheck"]["test"]


def test_every_airflow_service_waits_for_the_migration(variables):
    for name, service in services(variables).items():
        if service["image"].startswith("hoa-ops:") and name != "migrate":
            assert service["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}


def test_image_is_built_once_and_never_looked_for_elsewhere(variables):
    ours = {name: s for name, s in services(variables).items() if s["image"].startswith("hoa-ops:")}
    assert [name for name, service in ours.items() if "build" in service] == ["migrate"]
    assert {name: service["pull_policy"] for name, service in ours.items()} == dict.fromkeys(ours, "never") | {
        "migrate": "build"
    }


def test_image_has_all_that_the_package_needs_and_nothing_else():
    dockerfile = (CHECKOUT / "Dockerfile").read_text()
    assert re.findall(r"^COPY (\S+)", dockerfile, re.MULTILINE) == [
        "requirements.txt", "dags", "plugins", "include", "compose/migrate.sh",
    ]  # fmt: skip
    sent = (CHECKOUT / ".dockerignore").read_text().splitlines()
    assert sent[0] == "*"
    copied = set(re.findall(r"^COPY (\S+)", dockerfile, re.MULTILINE))
    assert {line[1:] for line in sent if line.startswith("!")} == copied


def compose_client():
    """The command of Compose's own client, as a plugin of docker or alone; version 1 is another program."""
    for command in (["docker", "compose"], ["docker-compose"]):
        if shutil.which(command[0]):
            version = subprocess.run([*command, "version", "--short"], capture_output=True, text=True, check=False)
            if version.returncode == 0 and not version.stdout.startswith("1."):
                return command
    return None


def test_compose_s_own_client_reads_the_file_as_we_do(env_file, variables):
    command = compose_client()
    if command is None:
        pytest.skip("needs the client `docker compose`")
    client = subprocess.run(
        [
            *(*command, "--env-file", env_file, "--file", CHECKOUT / "docker-compose.yaml"),
            *("config", "--no-path-resolution"),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert client.stderr == ""
    theirs = yaml.safe_load(client.stdout)["services"]
    ours = services(variables)
    assert theirs.keys() == ours.keys()
    for name, service in ours.items():
        # The client shows a dollar as the file has to write it.
        command = [word.replace("$$", "$") for word in theirs[name].get("command") or []]
        assert command == service.get("command", [])
        assert theirs[name].get("environment", {}) == {k: str(v) for k, v in service.get("environment", {}).items()}
        test = [word.replace("$$", "$") for word in theirs[name]["healthcheck"]["test"]] if name != "migrate" else []
        assert test == service.get("healthcheck", {}).get("test", [])


# What it does. ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def admin_password(variables):
    """A random secret may begin with a dash, and a command must not take it for an option."""
    return f"-{variables['ADMIN_PASSWORD']}"


@pytest.fixture(scope="module")
def compose(tmp_path_factory, variables, admin_password):
    if shutil.which("redis-server") is None:
        pytest.skip("needs an installed Redis, such as the package redis-server")
    # One task at a time each, so that two tasks at a time prove two workers.
    few = variables | {
        "WORKERS": "2",
        "WORKER_CONCURRENCY": "1",
        "ALERT_EMAIL": "operations@hoa-ops.example",
        "ADMIN_PASSWORD": admin_password,
    }
    # Only runs that a test asks for, so that what they post can be counted.
    airflow_env = {"AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE": "False"}
    with NativeCompose(tmp_path_factory.mktemp("compose"), few, airflow_env) as running:
        yield running
    assert running.survivors() == []


@pytest.fixture(scope="module")
def api(compose, variables, admin_password):
    api = AirflowApi(compose.url, variables["ADMIN_USER"], admin_password)

    def healthy():
        assert compose.dead() == []
        return api.is_healthy() and all(map(compose.is_healthy, ["postgres", "redis", *compose.containers]))

    wait_until(healthy, f"not all services became healthy; their logs are in {compose.folder}", limit=300)
    api.wait_for_dags(DAGS, limit=120)
    for dag_id in DAGS:
        api.unpause(dag_id)
    yield api
    api.close()


@pytest.fixture(scope="module")
def associations(compose, api):
    """The demo's associations, loaded as docs/deploy-compose.md says."""
    owner = compose.services["migrate"]["environment"]["HOA_OPS_OWNER_DSN"]
    compose.run(
        "postgres", "psql", f"{owner}?options=-csearch_path%3Dhoa", "-v", "ON_ERROR_STOP=1", stdin=demo_data.script()
    )
    compose.run(
        "scheduler", "python", "-m", "hoa_ops", "go-live", "--all-jobs", "--who", "a test", "--why", "to see it post"
    )
    return compose.translate(owner)


def play(api, dag_id, **conf):
    run_id = api.trigger(dag_id, {"as_of": "2025-10-29", **conf})
    assert api.wait_for_run(dag_id, run_id, limit=240) == "success", api.task_states(dag_id, run_id)
    return run_id


def test_all_services_become_healthy_and_the_first_user_can_log_in(api):
    assert api.dag_ids() == set(DAGS)
    assert api.import_errors() == {}


def test_the_deployment_is_ready_by_its_own_check(compose, api, associations):
    said = compose.run("scheduler", "python", "-m", "hoa_ops", "check-deployment")
    assert [line[0] for line in said.splitlines() if line[0] in "✓✗"] == ["✓"] * 7


@pytest.mark.parametrize(
    ("dag_id", "job", "figure"),
    [
        ("hoa_monthly_billing", "generate_invoices", "Invoiced"),
        ("hoa_violation_escalation", "escalate_violations", "Escalated: 3"),
        ("hoa_budget_variance", "check_budget_variances", "Total Alerts: 2"),
    ],
)
def test_every_dag_runs_dry_and_live_on_the_celery_workers(compose, api, associations, dag_id, job, figure):
    conf = {"tenant": "sunset-ridge"}
    if dag_id == "hoa_monthly_billing":
        conf |= {"job": job, "as_of": "2025-11-01"}
    mails = len(compose.mail.messages)
    play(api, dag_id, dry_run=True, **conf)
    assert len(compose.mail.messages) == mails
    run_id = play(api, dag_id, **conf)
    assert len(compose.mail.messages) > mails
    assert figure in "\n".join(line.event for line in api.task_log(dag_id, run_id, "report"))
    [executor] = {task["executor"] for task in api.task_instances(dag_id, run_id)}
    assert executor in (None, "CeleryExecutor")


def test_two_workers_share_the_work(compose, api, associations):
    with psycopg.connect(associations, autocommit=False) as owner:
        owner.execute("LOCK TABLE hoa.violations")
        held = api.trigger("hoa_violation_escalation", {"dry_run": True})
        wait_until(
            lambda: api.task_states("hoa_violation_escalation", held)["escalate_violations"] == "running",
            "the job did not come to the lock",
            limit=120,
        )
        # One worker waits for the lock and takes one task at a time; so these tasks are the other one's.
        play(api, "hoa_budget_variance", dry_run=True)
        assert api.run_state("hoa_violation_escalation", held) == "running"
    assert api.wait_for_run("hoa_violation_escalation", held) == "success"


def test_the_migration_again_changes_nothing_and_succeeds(compose, api):
    said = compose.run("migrate")
    assert "role hoa_ops_owner: already exists" in said
    assert "already exist" in said


def test_a_password_that_would_break_an_address_is_refused_before_anything_is_touched(compose, api, variables):
    with pytest.raises(RuntimeError, match=r"The password in HOA_OPS_OWNER_DSN stands in a URL: in \.env, use letters"):
        compose.run("migrate", "env", "HOA_OPS_OWNER_DSN=postgresql://owner:p@ss/word@postgres:5432/associations",
                    *compose.services["migrate"]["command"])  # fmt: skip
