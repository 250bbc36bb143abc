"""The alarm for mail that does not go out. It goes to Slack, since the mail server may be the thing that is down."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from hoa_ops.database import statement
from hoa_ops.monitoring.alerts.channels import SLACK_TIMEOUT
from hoa_ops.monitoring.alerts.runbook import TASK_ADVICE
from hoa_ops.monitoring.health import STUCK
from hoa_ops.templates import render

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hoa_ops.database import Database
    from hoa_ops.engine.report import Row
    from hoa_ops.settings import Settings

log = logging.getLogger(__name__)


def raise_alarm(database: Database, settings: Settings) -> None:
    """Tell Slack of messages that stand still, if that got worse since Slack was last told.

    How bad it was is kept in the database, so that one alarm tells of any number of messages, whichever of many
    delivery tasks sees them first. It never raises: what the delivery has to say must not be hidden by it. What could
    not be told is told next time.
    """
    if not settings.alert_slack_conn_id:
        return
    waiting_since = datetime.now(UTC) - timedelta(hours=settings.mail_waiting_hours)
    try:
        # If Slack does not take it, the transaction is rolled back and the alarm is still to be raised.
        with database.transaction() as cursor:
            alarms = cursor.rows(statement("delivery/alarms.sql"), {"waiting_since": waiting_since})
            worse = [alarm for alarm in alarms if alarm["got_worse"]]
            if worse:
                _tell(settings.alert_slack_conn_id, worse)
    except Exception as error:  # noqa: BLE001 - hooks raise unrelated types
        # Without the error's text, which may hold the webhook's address.
        kind = type(error).__name__
        log.error("The alarm about messages that stand still was not raised (%s); it is tried again", kind)  # noqa: TRY400


def _tell(conn_id: str, alarms: Sequence[Row]) -> None:
    from airflow.providers.slack.hooks.slack_webhook import SlackWebhookHook  # noqa: PLC0415 - slow

    text = render(
        "monitoring/alerts/outbox_stuck.txt", alarms=alarms, words=STUCK, advice=TASK_ADVICE["deliver_messages"]
    )
    log.warning("%s", text)
    SlackWebhookHook(slack_webhook_conn_id=conn_id, timeout=SLACK_TIMEOUT).send(text=text)
