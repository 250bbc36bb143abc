"""Whoever copies a command from the pages gets what the page says: the shell blocks run as written, in order."""

import subprocess

import pytest

from devstack.ledgers import changed_tables
from devstack.up import write_env_script
from tests.support.pages import PAGES, shell_blocks

DAGS = ["hoa_monthly_billing", "hoa_violation_escalation", "hoa_budget_variance"]
BLOCKS = [block for page in PAGES for block in shell_blocks(page) if "stack" in block.marks]
LIVE = """--conf '{"job": "assess_late_fees"}'"""


@pytest.fixture(scope="module")
def script(stack, api, tmp_path_factory):
    """The file that `make up` makes for the shell; no DAG runs until its run is looked at."""
    api.wait_for_dags(DAGS)
    for dag_id in DAGS:
        api.pause(dag_id)
    file = tmp_path_factory.mktemp("documents") / "env.sh"
    write_env_script(stack, file)
    return file


def runs(api):
    return {(dag_id, run["dag_run_id"]) for dag_id in DAGS for run in api.get(f"dags/{dag_id}/dagRuns")["dag_runs"]}


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_shell_block_runs_as_written_and_posts_only_what_the_page_says(stack, api, ledgers, script, tmp_path, block):
    before, known = ledgers.state(), runs(api)
    done = subprocess.run(
        ["bash", "-e", "-c", f"source {script}\n{block.script}"],
        env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    # The exit status of `health` says how the jobs are, and here most have never run.
    assert done.returncode == 0 or ("hoa_ops health" in block.script and done.returncode == 1), done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    started = sorted(runs(api) - known)
    assert len(started) == block.script.count("airflow dags trigger")
    assert changed_tables(before, ledgers.state()) == set()
    for dag_id, run_id in started:
        api.unpause(dag_id)
        assert api.wait_for_run(dag_id, run_id) == "success"
        api.pause(dag_id)
    changed = changed_tables(before, ledgers.state())
    if LIVE in block.script:
        assert {"runs", "run_tenants"} <= changed <= {
            "runs", "run_tenants", "invoices", "invoice_lines", "journal_entries", "journal_entry_lines", "outbox",
            "document_counters",
        }  # fmt: skip
    else:
        assert changed == set()
