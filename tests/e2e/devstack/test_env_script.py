"""What `make up` tells its user to type works in a fresh shell."""

import json
import subprocess

import pytest

from devstack.up import write_env_script


@pytest.fixture(scope="module")
def fresh_shell(stack, tmp_path_factory):
    """Run a command in a shell that knows nothing but the file, in a folder that is not the project's."""
    folder = tmp_path_factory.mktemp("fresh shell")
    script = folder / "env.sh"
    write_env_script(stack, script)

    def run(command):
        return subprocess.run(
            ["bash", "-c", f"source '{script}' && {command}"],
            env={"HOME": str(folder), "PATH": "/usr/bin:/bin"},
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_airflow_commands_reach_the_running_airflow(stack, api, fresh_shell):
    api.wait_for_dags(["hoa_budget_variance", "hoa_monthly_billing", "hoa_violation_escalation"])
    listed = fresh_shell("airflow dags list --output json")
    assert listed.returncode == 0, listed.stderr
    dags = json.loads(listed.stdout[listed.stdout.index("[{") :])
    assert {dag["dag_id"] for dag in dags} == {"hoa_budget_variance", "hoa_monthly_billing", "hoa_violation_escalation"}
    assert fresh_shell("airflow config get-value core dags_folder").stdout.strip().endswith("/dags")


def test_hoa_ops_commands_reach_the_associations_database(fresh_shell):
    health = fresh_shell("python -m hoa_ops health --json")
    assert {job["job"] for job in json.loads(health.stdout)["jobs"]} >= {"generate_invoices", "escalate_violations"}
    tables = fresh_shell("python -m hoa_ops check-tables --role hoa_ops_worker")
    assert tables.returncode == 0, tables.stdout + tables.stderr


def test_secrets_in_the_file_are_for_its_owner_only(stack, tmp_path):
    script = tmp_path / "env.sh"
    write_env_script(stack, script)
    assert script.stat().st_mode & 0o077 == 0
