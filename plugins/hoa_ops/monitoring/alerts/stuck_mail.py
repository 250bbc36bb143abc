"""The alert for mail that does not go out. It goes to every channel but e-mail, since that may be what is down."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from hoa_ops.database import query
from hoa_ops.monitoring.alerts.alert import Alert
from hoa_ops.monitoring.alerts.channels import EMAIL, AlertRefusedError, tell
from hoa_ops.monitoring.alerts.runbook import STUCK_MAIL
from hoa_ops.monitoring.health import STUCK
from hoa_ops.settings import get_settings
from hoa_ops.templates import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hoa_ops.database import Database, Row

log = logging.getLogger(__name__)


def raise_alarm(database: Database) -> None:
    """Tell people of mail that is stuck, if that got worse since they were last told.

    How bad it was is kept in the database, so that one alert tells of any number of messages, whichever of many
    delivery tasks sees them first. It never raises: what the delivery has to say must not be hidden by it. What could
    not be told is told next time.
    """
    settings = get_settings()
    if not set(settings.alert_channels) - {EMAIL}:
        return
    waiting_since = datetime.now(UTC) - timedelta(hours=settings.mail_waiting_hours)
    try:
        # If no channel takes it, the transaction is rolled back and people are still to be told.
        with database.transaction() as cursor:
            alarms = cursor.rows(query("delivery/alarms.sql"), {"waiting_since": waiting_since})
            worse = [alarm for alarm in alarms if alarm["got_worse"]]
            if worse:
                _tell(worse)
    except Exception as error:  # noqa: BLE001 - hooks raise unrelated types
        # Without the error's text, which may hold the webhook's address.
        kind = type(error).__name__
        log.error("The alert about stuck mail was not sent (%s); the next delivery tries again", kind)  # noqa: TRY400


def _tell(alarms: Sequence[Row]) -> None:
    alert = Alert(
        subject="Mail is stuck in the outbox",
        sentence=" ".join(f"{counted(alarm['messages'], 'message')} {STUCK[alarm['alarm']]}." for alarm in alarms),
        advice=STUCK_MAIL,
    )
    log.warning("%s: %s", alert.subject, alert.sentence)
    if not tell(alert, besides=EMAIL):
        raise AlertRefusedError("no channel took the alert")
