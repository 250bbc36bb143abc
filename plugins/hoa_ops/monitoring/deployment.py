"""Whether a deployment is ready, found out before its first run.

Everything is reached the way the jobs reach it: the settings, the Connections, the database as the worker role, the
mail server, the channels of alerts.
"""

from __future__ import annotations

import uuid
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from hoa_ops.database import Database, query
from hoa_ops.delivery.mail_server import MailServer, Verdict
from hoa_ops.engine.go_live import job_modes
from hoa_ops.errors import NotReadyError
from hoa_ops.monitoring.alerts.alert import Alert
from hoa_ops.monitoring.alerts.channels import channels, tell
from hoa_ops.schema.version import check_version
from hoa_ops.settings import get_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hoa_ops.database import Cursor

TEST_MAIL = "This is a test message from HOA Ops. No action is needed."
TEST_ALERT = "This is a test alert from HOA Ops. No action is needed."


def checks(*, send_mail_to: str | None, send_alert: bool) -> dict[str, Callable[[], str]]:
    """Return the checks by subject; each says what it found, or raises an error that says what to do.

    :param send_mail_to: an address that gets a test message; None: the mail server is only logged in to.
    :param send_alert: send a test alert to every configured channel.
    """
    return {
        "settings": _settings,
        "database": _database,
        "role": _role,
        "associations": _associations,
        "jobs": _jobs,
        "mail": lambda: _mail(send_mail_to),
        "alerts": lambda: _alerts(send=send_alert),
    }


@contextmanager
def _reading() -> Iterator[Cursor]:
    with Database(get_settings().database_conn_id) as database, database.transaction(read_only=True) as cursor:
        yield cursor


def _settings() -> str:
    settings = get_settings()
    return f"valid; all schedules in {settings.timezone}"


def _database() -> str:
    with _reading() as cursor:
        [server] = cursor.rows(query("schema/deployment/server.sql"))
        return f"PostgreSQL {server['server_version']}, tables at version {check_version(cursor)}"


def _role() -> str:
    settings = get_settings()
    schemas = [settings.associations_schema, settings.operations_schema]
    with _reading() as cursor:
        faults = cursor.rows(query("schema/deployment/role_faults.sql"), {"schemas": schemas})
    if faults:
        raise NotReadyError("\n    ".join(row["fault"] for row in faults))
    return "has the rights that the jobs need, and no others"


def _associations() -> str:
    with _reading() as cursor:
        [row] = cursor.rows(query("schema/deployment/associations.sql"))
    if not row["active"]:
        raise NotReadyError(
            f"none of the {row['known']} in this database is active, so the jobs have nothing to do: check that the "
            f"Connection points to the right database"
        )
    return f"{row['active']} of {row['known']} active"


def _jobs() -> str:
    with _reading() as cursor:
        modes = job_modes(cursor)
    zone = get_settings().zone
    live = [f"{mode.job} since {mode.live_since.astimezone(zone):%Y-%m-%d %H:%M}" for mode in modes if mode.live_since]
    states = {
        "live": live,
        "in rehearsal, posting nothing until `python -m hoa_ops go-live`": [
            str(mode.job) for mode in modes if not mode.live_since
        ],
    }
    return "; ".join(f"{state}: {', '.join(jobs)}" for state, jobs in states.items() if jobs)


def _mail(recipient: str | None) -> str:
    server = MailServer(get_settings().smtp_conn_id)
    try:
        server.open()
        if recipient is None:
            return "connected and logged in"
        answer = server.hand_over(
            {
                "id": uuid.uuid4(),
                "sender_name": "HOA Ops",
                "recipient_name": "",
                "recipient_address": recipient,
                "subject": "Test message",
                "created_at": datetime.now(UTC),
                "text_body": TEST_MAIL,
                "html_body": f"<p>{TEST_MAIL}</p>",
                "attachment": None,
            }
        )
    finally:
        server.close()
    if answer.verdict is not Verdict.SENT:
        raise NotReadyError(f"the mail server did not accept the test message: {answer.response}")
    return f"the mail server accepted a test message: check that it arrives at {recipient}"


def _alerts(*, send: bool) -> str:
    wanted = get_settings().alert_channels
    if not wanted:
        raise NotReadyError("no channel is configured: set alert_slack_conn_id, alert_email or both (docs/alerts.md)")
    test = Alert(subject="Test alert", sentence=TEST_ALERT, icon="information_source")
    unavailable = [name for name in wanted if name not in {channel.name for channel in channels(test)}]
    if unavailable:
        raise NotReadyError(f"the Airflow provider for {' and '.join(unavailable)} is not installed (docs/alerts.md)")
    if not send:
        return f"configured for {' and '.join(wanted)}; --send-alert sends a test"
    taken = tell(test)
    missed = [name for name in wanted if name not in taken]
    if missed:
        raise NotReadyError(f"the test alert did not reach {' and '.join(missed)}: check the Connection")
    return f"{' and '.join(taken)} accepted a test alert: check that it arrives"
