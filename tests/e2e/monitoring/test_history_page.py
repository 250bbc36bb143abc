"""The history in Airflow's own web page, looked at with a real browser as a person would."""

import re
from datetime import UTC, datetime

import httpx
import pytest

DAG_ID = "hoa_violation_escalation"
NOBODY_SEES = ("/hoa-ops/", "/hoa-ops/jobs/escalate_violations", "/hoa-ops/association?code=sunset-ridge")


@pytest.fixture(scope="module", autouse=True)
def run_id(stack, api) -> str:
    """A live run, so that there is something to see; this month, so that it is in the pictures."""
    api.wait_for_dags([DAG_ID])
    api.unpause(DAG_ID)
    run_id = api.trigger(DAG_ID, logical_date=datetime.now(UTC))
    assert api.wait_for_run(DAG_ID, run_id) == "success"
    return run_id


def in_frame(page):
    frame = page.frame_locator("iframe[title='HOA history']")
    frame.get_by_role("heading", name="HOA history").wait_for()
    return frame


def test_the_navigation_leads_to_the_history_and_the_history_to_an_association(visit, tmp_path):
    page = visit("/")
    page.get_by_role("link", name="HOA history").click()
    history = in_frame(page)
    assert history.locator("section.card").count() == 5
    assert history.locator(".trends svg").count() == 5
    page.screenshot(path=tmp_path / "overview.png")

    escalation = history.locator("#escalate_violations")
    escalation.locator("tbody tr").first.get_by_role("link").click()
    history.get_by_role("heading", name=re.compile("^Violation escalation, ")).wait_for()
    history.get_by_role("link", name="Sunset Ridge").click()
    history.get_by_role("heading", name=re.compile("Sunset Ridge")).wait_for()
    assert history.locator("tbody tr").count() >= 1
    page.screenshot(path=tmp_path / "association.png")


def test_an_association_is_found_by_its_code(visit):
    page = visit("/hoa-ops/")
    page.get_by_label("Association").fill("sunset-ridge")
    page.get_by_role("button", name="Show").click()
    page.get_by_role("heading", name=re.compile("Sunset Ridge")).wait_for()
    page.goto(page.url.replace("sunset-ridge", "no-such"))
    page.get_by_text("No association has the code, id or name 'no-such'").wait_for()
    assert page.foreign == []


def test_the_trigger_form_opens_in_airflow(visit):
    page = visit("/plugin/hoa-ops")
    in_frame(page).locator("#escalate_violations").get_by_role("link", name="Trigger…").click()
    page.get_by_role("dialog").get_by_text("Grace days", exact=False).first.wait_for()
    assert page.url.endswith(f"/dags/{DAG_ID}")


def test_a_run_opens_in_airflow(visit, run_id):
    page = visit("/plugin/hoa-ops")
    history = in_frame(page)
    history.locator("#escalate_violations tbody tr").first.get_by_role("link").click()
    history.get_by_role("link", name="Open in Airflow").click()
    page.wait_for_url(re.compile(rf"/dags/{DAG_ID}/runs/"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_follows_airflow_s_theme_and_loads_nothing_from_elsewhere(visit, tmp_path, scheme):
    page = visit("/plugin/hoa-ops", scheme=scheme)
    page.evaluate("theme => localStorage.setItem('theme', theme)", scheme)
    page.reload()
    body = in_frame(page).locator("body")
    ink, paper = body.evaluate("body => [getComputedStyle(body).color, getComputedStyle(body).backgroundColor]")
    assert (brightness(ink) > brightness(paper)) == (scheme == "dark")
    page.screenshot(path=tmp_path / f"{scheme}.png")
    assert page.foreign == []
    assert [error for error in page.errors if "Content Security Policy" in error] == []


@pytest.mark.parametrize("path", ["/hoa-ops/", "/hoa-ops/association?code=sunset-ridge"])
def test_a_phone_shows_it_without_scrolling_sideways(visit, tmp_path, path):
    page = visit(path, width=390, height=844)
    page.locator("h1").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.screenshot(path=tmp_path / "phone.png", full_page=True)


@pytest.mark.parametrize("path", NOBODY_SEES)
def test_nobody_sees_anything_without_a_login(stack, path):
    response = httpx.get(f"{stack.airflow.url}{path}", trust_env=False, timeout=30)
    assert (response.status_code, response.text) == (401, '{"detail":"Not authenticated"}')


def test_except_for_the_bare_status(stack):
    response = httpx.get(f"{stack.airflow.url}/hoa-ops/health", trust_env=False, timeout=30)
    status = response.json()
    assert response.status_code == (200 if status["status"] == "ok" else 503)
    assert status.keys() == {"status", "jobs", "outbox"}
    assert set(status["jobs"].values()) <= {"ok", "late", "not_yet_due"}
    assert "sunset" not in response.text.lower()


def brightness(color):
    return sum(map(int, re.findall(r"\d+", color)[:3]))
