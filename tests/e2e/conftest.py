"""The complete stack on real Airflow, started once for all end-to-end tests and stopped after them."""

from collections.abc import Iterator

import pytest

from local.airflow_api import AirflowApi
from local.ledgers import Ledgers
from local.mail import MailSink
from local.slack import SlackSink
from local.stack import Stack


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
        "AIRFLOW__HOA_OPS__TASK_RETRY_SECONDS": "1",
        "AIRFLOW__HOA_OPS__DEADLINE_MINUTES_BUDGET_VARIANCE": "0.25",
        # A worker that is gone is missed sooner than after five minutes.
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "20",
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "2",
    }
    with Stack(folder, durable=False, schedules=False, port=0, variables=variables) as stack:
        yield stack
    assert stack.survivors() == []


@pytest.fixture(scope="session")
def api(stack: Stack) -> AirflowApi:
    return stack.api


@pytest.fixture(scope="session")
def ledgers(stack: Stack) -> Ledgers:
    return Ledgers(stack.owner_dsn)
