"""The plugin's pages without a browser: who may see them, and that what they show is escaped and right."""

import asyncio
import re
from datetime import date, timedelta
from uuid import uuid4

import httpx
import pytest
from airflow.api_fastapi.app import init_auth_manager
from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
from airflow.api_fastapi.core_api.security import get_user
from fastapi import FastAPI

from hoa_ops.monitoring import web
from hoa_ops.settings import get_settings
from hoa_ops_plugin import HoaOpsPlugin

TODAY = date(2025, 10, 29)


@pytest.fixture
def app():
    return web.create_app()


@pytest.fixture(autouse=True)
def _forget_status(monkeypatch):
    monkeypatch.setattr(web, "_bare_status", web._BareStatus())


@pytest.fixture
def get(app):
    """Ask for a page, as Airflow's server would have the application asked."""
    server = FastAPI()
    server.mount("/airflow/hoa-ops", app)

    def ask(path):
        async def send():
            async with httpx.AsyncClient(transport=httpx.ASGITransport(server), base_url="http://airflow") as client:
                return await client.get(f"/airflow/hoa-ops{path}")

        return asyncio.run(send())

    return ask


@pytest.fixture
def logged_in(app, monkeypatch):
    monkeypatch.setattr("airflow.models.dag.DagModel.get_team_name", lambda *_, **__: None)
    init_auth_manager()
    app.dependency_overrides[get_user] = lambda: SimpleAuthManagerUser(username="pat", role="viewer")


@pytest.mark.parametrize(
    "path", ["/", "/jobs/send_reminders", "/jobs/send_reminders/run?id=x", "/association?code=maple-court"]
)
def test_nothing_is_shown_without_a_login(database, get, path):
    response = get(path)
    assert (response.status_code, response.json()) == (401, {"detail": "Not authenticated"})


def test_user_without_permission_sees_nothing(database, app, get, logged_in):
    app.dependency_overrides[get_user] = lambda: SimpleAuthManagerUser(username="guest", role=None)
    assert get("/").status_code == 403


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/openapi.json"])
def test_web_application_serves_no_api_description(get, path):
    assert get(path).status_code == 404


def test_status_needs_no_login(database, get):
    database.run("UPDATE go_live_decisions SET decided_at = clock_timestamp()")
    response = get("/health")
    assert response.status_code == 200
    assert response.json().keys() == {"status", "jobs", "outbox"}
    database.run("UPDATE go_live_decisions SET decided_at = '2025-01-01'")
    assert get("/health").status_code == 200, "one look answers many monitors"
    web._bare_status._good_until = 0
    assert (get("/health").status_code, get("/health").json()["status"]) == (503, "trouble")


def test_status_says_nothing_about_a_database_that_is_down(get, monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_HOA_OPS_DB", "postgresql://nobody@127.0.0.1:1/none")
    response = get("/health")
    assert (response.status_code, response.json()) == (503, {"status": "unknown"})


def test_pages_of_an_empty_ledger(database, get, logged_in):
    assert "Never completed" in get("/").text
    assert "No association has failed" in get("/").text
    assert "No runs." in get("/jobs/send_reminders").text


def test_pages_show_what_was_done_and_why_something_failed(database, get, jobs, logged_in):
    maple = database.association(name="<b>Maple & Co</b>")
    maple.violation(maple.unit(owner=maple.owner()), maple.violation_type(), cure_deadline=TODAY - timedelta(days=1))
    jobs.escalate(on=TODAY, dag_run_id="scheduled__2025+1")
    database.run("UPDATE accounts SET active = false WHERE number = '1200'")
    maple.violation(
        maple.unit("2", owner=maple.owner()), maple.violation_type("Noise"), cure_deadline=TODAY, number="V-2"
    )
    with pytest.raises(Exception, match="could not be posted"):
        jobs.escalate(on=TODAY + timedelta(days=1), dag_run_id="manual__1")

    page = get("/").text
    assert "no active account 1200 (accounts receivable)" in page
    assert "<b>Maple" not in page
    assert "&lt;b&gt;Maple &amp; Co&lt;/b&gt;" in page
    assert "/airflow/hoa-ops/jobs/escalate_violations/run?id=scheduled__2025%2B1" in page
    assert 'href="/airflow/dags/hoa_violation_escalation"' in page

    run = get("/jobs/escalate_violations/run?id=scheduled__2025%2B1").text
    assert "1 posted" in run
    assert "$50.00" in run
    association = get("/association?code=maple-court").text
    assert "$50.00" in association
    assert "no active account 1200" in association


def test_a_failure_that_a_later_attempt_fixed_says_so(database, get, jobs, logged_in):
    maple = database.association()
    maple.violation(maple.unit(owner=maple.owner()), maple.violation_type(), cure_deadline=TODAY - timedelta(days=1))
    database.run("UPDATE accounts SET active = false WHERE number = '1200'")
    with pytest.raises(Exception, match="could not be posted"):
        jobs.escalate(on=TODAY)
    assert ">fixed<" not in get("/").text
    database.run("UPDATE accounts SET active = true")
    jobs.escalate(on=TODAY)
    assert ">fixed<" in get("/").text
    assert database.value("SELECT counts ->> 'posted' FROM runs") == "1"
    assert database.value("SELECT totals ->> 'fines' FROM runs") == "50.00"


def test_older_runs_are_on_the_next_page(database, get, logged_in):
    database.run(
        """
        INSERT INTO runs (job, dag_run_id, as_of, run_date, options, narrowed, status, associations)
        SELECT 'send_reminders', 'manual__' || n, '2025-01-01', timestamptz '2025-11-01' - n * interval '1 hour', '{}',
               false, 'completed', 1
          FROM generate_series(1, 60) AS n
        """
    )
    first = get("/jobs/send_reminders").text
    assert first.count("/run?id=") == 50
    older = first.partition('href="/airflow/hoa-ops/jobs/send_reminders?before=')[2].partition('"')[0]
    assert get(f"/jobs/send_reminders?before={older}").text.count("/run?id=") == 10


@pytest.mark.parametrize(
    ("path", "status"),
    [("/association?code=nowhere", 404), ("/jobs/send_reminders/run?id=none", 404), ("/jobs/nonsense", 404)],
)
def test_unknown_page_is_not_found(database, get, logged_in, path, status):
    assert get(path).status_code == status


def test_page_runs_only_its_own_script_and_loads_nothing(database, get, logged_in):
    page = get("/")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'self'" in policy
    nonce = policy.partition("'nonce-")[2].partition("'")[0]
    assert page.text.count("<script") == page.text.count(f'<script nonce="{nonce}">') == 1
    assert nonce not in get("/").text


def test_page_explains_that_the_database_is_down(get, logged_in, monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_HOA_OPS_DB", "postgresql://nobody@127.0.0.1:1/none")
    response = get("/")
    assert response.status_code == 503
    assert "database cannot be reached" in response.text


def test_plugin_registers_the_page_and_the_status():
    [app], [view] = HoaOpsPlugin.fastapi_apps, HoaOpsPlugin.external_views
    assert app["url_prefix"] == "/hoa-ops"
    assert view["href"] == "hoa-ops/"


def test_overview_says_where_no_alert_channel_is_configured(database, get, logged_in, monkeypatch):
    assert "No alert channel is configured" in get("/").text
    monkeypatch.setenv("AIRFLOW__HOA_OPS__ALERT_EMAIL", "ops@hoa.example")
    get_settings.cache_clear()
    try:
        assert "No alert channel is configured" not in get("/").text
    finally:
        monkeypatch.undo()
        get_settings.cache_clear()


def test_outbox_is_shown_in_words_and_what_needs_a_person_comes_first(database, get, logged_in):
    maple = database.association()
    for state, channel in (("pending", "email"), ("pending", "letter"), ("failed", "email"), ("sent", "email")):
        maple.insert(
            "outbox",
            kind="payment_reminder",
            reference_id=maple.tenant_id,
            recipient_id=uuid4(),
            channel=channel,
            state=state,
            sender_name="Maple",
            recipient_name="Ann Owner",
            recipient_address="ann@example.com",
            subject="Reminder",
            text_body="",
            html_body="",
        )
    for page in (get("/").text, get("/association?code=maple-court").text):
        outbox = page.partition(">Outbox<")[2]
        assert re.findall(r'<span class="badge ?(\w*)">([^<]+)<', outbox) == [
            ("bad", "dead letter"),
            ("", "queued"),
            ("wait", "to be printed"),
        ]


def test_rehearsal_is_visible_and_counts_in_no_trend(database, get, logged_in, jobs):
    database.run("DELETE FROM go_live_decisions")
    maple = database.association()
    maple.violation(maple.unit(owner=maple.owner()), maple.violation_type(), cure_deadline=date(2025, 10, 20))
    jobs.run("hoa_violation_escalation", "escalate_violations", on=date(2025, 10, 29), run_type="scheduled")
    page = get("/").text
    assert "In rehearsal, posting nothing: " in page
    assert "Violation escalation" in page
    assert '<span class="badge wait">rehearsal</span>' in page
    assert "No job is late" not in page
    assert '<span class="badge wait">rehearsed</span>' in get("/association?code=maple-court").text
