"""The complete stack on real Airflow, started once for all end-to-end tests and stopped after them."""

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from devstack.airflow import ADMIN, airflow_command
from devstack.airflow_api import AirflowApi
from devstack.ledgers import Ledgers
from devstack.mail_sink import MailSink
from devstack.slack_sink import SlackSink
from devstack.stack import Stack

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@pytest.fixture(scope="session")
def slack() -> Iterator[SlackSink]:
    with SlackSink() as sink:
        yield sink


@pytest.fixture(scope="session")
def alert_mail(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MailSink]:
    """A mail server of the alerts' own, so that the other one holds only what went to owners and boards."""
    with MailSink(tmp_path_factory.mktemp("alerts")) as sink:
        yield sink


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory, slack: SlackSink, alert_mail: MailSink) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("stack")
    variables = {
        "AIRFLOW_CONN_HOA_OPS_SLACK": slack.connection,
        "AIRFLOW_CONN_HOA_OPS_ALERT_SMTP": alert_mail.connection,
        "AIRFLOW__HOA_OPS__ALERT_SLACK_CONN_ID": "hoa_ops_slack",
        "AIRFLOW__HOA_OPS__ALERT_SMTP_CONN_ID": "hoa_ops_alert_smtp",
        "AIRFLOW__HOA_OPS__ALERT_EMAIL": "operations@hoa-ops.example",
        "AIRFLOW__HOA_OPS__TASK_RETRIES": "1",
        # Tests hold locks for as long as it takes Airflow to notice something.
        "AIRFLOW__HOA_OPS__LOCK_TIMEOUT_SECONDS": "300",
        "AIRFLOW__HOA_OPS__TASK_RETRY_SECONDS": "1",
        "AIRFLOW__HOA_OPS__DEADLINE_MINUTES_BUDGET_VARIANCE": "0.25",
        # A worker that is gone is missed sooner than after five minutes.
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "20",
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "2",
    }
    with Stack(folder, durable=False, schedules=False, port=0, variables=variables) as stack:
        yield stack
    assert stack.survivors() == []


@pytest.fixture
def scheduler_that_keeps_schedules(stack: Stack) -> Iterator[None]:
    """A second scheduler: the stack's own starts only runs that somebody asks for."""
    scheduler = subprocess.Popen(
        airflow_command("scheduler"),
        env=stack.airflow.environment | {"AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE": "True"},
        cwd=stack.airflow.home,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    yield
    os.killpg(scheduler.pid, signal.SIGTERM)
    try:
        scheduler.wait(20)
    except subprocess.TimeoutExpired:
        os.killpg(scheduler.pid, signal.SIGKILL)
        scheduler.wait()


@pytest.fixture(scope="session")
def api(stack: Stack) -> AirflowApi:
    return stack.api


@pytest.fixture(scope="session")
def ledgers(stack: Stack) -> Ledgers:
    return Ledgers(stack.owner_dsn)


# One browser a test file, not one for all: while it is open, nothing else in this process can run an event loop.
@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    sync_api = pytest.importorskip("playwright.sync_api", reason="needs the Python package playwright")
    if CHROMIUM is None:
        pytest.skip("needs an installed Chromium, such as the package chromium")
    with sync_api.sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=flags)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def login(browser: "Browser", stack: Stack) -> Any:
    """The cookies of somebody who is logged in."""
    page = browser.new_page()
    page.goto(stack.airflow.url)
    page.locator("input[name=username]").fill(ADMIN)
    page.locator("input[name=password]").fill(stack.airflow.admin_password)
    page.get_by_role("button", name=re.compile("sign in|log in", re.IGNORECASE)).click()
    page.get_by_role("link", name="HOA history").wait_for(timeout=60_000)
    state = page.context.storage_state()
    page.close()
    return state


@pytest.fixture
def visit(browser: "Browser", login: Any, stack: Stack) -> Iterator[Callable[..., "Page"]]:
    """Open pages as the person who is logged in; what they load and complain of is in ``foreign`` and ``errors``."""
    contexts = []

    def open_page(path: str, *, width: int = 1280, height: int = 900, scheme: str = "light") -> "Page":
        context = browser.new_context(
            storage_state=login,
            viewport={"width": width, "height": height},
            color_scheme=scheme,
            locale="en-US",
            timezone_id="America/New_York",
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.foreign, page.errors = [], []
        page.on(
            "request",
            lambda request: (
                request.url.startswith((stack.airflow.url, "data:", "blob:")) or page.foreign.append(request.url)
            ),
        )
        page.on("console", lambda said: page.errors.append(said.text) if said.type == "error" else None)
        page.goto(f"{stack.airflow.url}{path}")
        return page

    yield open_page
    for context in contexts:
        context.close()
