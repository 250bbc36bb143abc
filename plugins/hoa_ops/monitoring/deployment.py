"""Is this deployment ready? ``python -m hoa_ops check-deployment`` looks before the first run does.

It goes the ways that the jobs go: the settings, the Connections, the database as the jobs' role, the mail server, the
channels of the alerts.
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from hoa_ops.cli.console import connected, say
from hoa_ops.database import statement
from hoa_ops.delivery.mail_server import MailServer, Verdict
from hoa_ops.errors import HoaOpsError, NotReadyError
from hoa_ops.monitoring.alerts.channels import Alert, tell
from hoa_ops.schema.migrations import check_version
from hoa_ops.settings import get_settings

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace, _SubParsersAction
    from collections.abc import Callable

TEST_MAIL = "This is a test of the mail server that HOA Ops is set up with. Nothing is to be done."
TEST_ALERT = "This is a test of the channels that alerts of HOA Ops go to. Nothing is to be done."


def add_commands(commands: _SubParsersAction[ArgumentParser]) -> None:
    """Add the command to the command line."""
    command = commands.add_parser(
        "check-deployment",
        help="check settings, Connections, tables, rights, mail server and alerts; exit status 1 unless all are well",
    )
    command.add_argument("--send-mail-to", metavar="ADDRESS", help="also send a test mail to this address")
    command.add_argument("--send-alert", action="store_true", help="also send a test alert to every configured channel")
    command.set_defaults(run=_check)


def _check(given: Namespace) -> int:
    checks: list[tuple[str, Callable[[], str]]] = [
        ("settings", _settings),
        ("database", _database),
        ("role", _role),
        ("associations", _associations),
        ("mail", lambda: _mail(given.send_mail_to)),
        ("alerts", lambda: _alerts(send=given.send_alert)),
    ]
    ready = True
    for subject, check in checks:
        try:
            say(f"✓ {subject}: {check()}")
        except HoaOpsError as error:
            ready = False
            say(f"✗ {subject}: {error}")
    return 0 if ready else 1


def _settings() -> str:
    settings = get_settings()
    return f"valid; all schedules in {settings.timezone}"


def _database() -> str:
    with connected() as database, database.transaction(read_only=True) as cursor:
        [server] = cursor.rows(statement("schema/deployment/server.sql"))
        return f"PostgreSQL {server['server_version']}, tables of version {check_version(cursor)}"


def _role() -> str:
    settings = get_settings()
    schemas = [settings.associations_schema, settings.operations_schema]
    with connected() as database, database.transaction(read_only=True) as cursor:
        faults = cursor.rows(statement("schema/deployment/role_faults.sql"), {"schemas": schemas})
    if faults:
        raise NotReadyError("\n    ".join(row["fault"] for row in faults))
    return "owns nothing, and may do what the jobs need and no more"


def _associations() -> str:
    with connected() as database, database.transaction(read_only=True) as cursor:
        [row] = cursor.rows(statement("schema/deployment/associations.sql"))
    if not row["active"]:
        raise NotReadyError(f"none of {row['known']} is active, so that there is nothing to do: is this the database?")
    return f"{row['active']} of {row['known']} active"


def _mail(recipient: str | None) -> str:
    server = MailServer(get_settings().smtp_conn_id)
    try:
        server.open()
        if recipient is None:
            return "the mail server takes our login"
        answer = server.hand_over(
            {
                "id": uuid.uuid4(),
                "sender_name": "HOA Ops",
                "recipient_name": "",
                "recipient_address": recipient,
                "subject": "Test of the mail server",
                "created_at": datetime.now(UTC),
                "text_body": TEST_MAIL,
                "html_body": f"<p>{TEST_MAIL}</p>",
                "attachment": None,
            }
        )
    finally:
        server.close()
    if answer.verdict is not Verdict.SENT:
        raise NotReadyError(f"the mail server did not take the test mail: {answer.response}")
    return "the mail server took a test mail: look whether it arrives"


def _alerts(*, send: bool) -> str:
    wanted = get_settings().alert_channels
    if not wanted:
        raise NotReadyError("they go nowhere: set alert_slack_conn_id, alert_email, or both (docs/settings.md)")
    if not send:
        return f"go to {' and '.join(wanted)}; --send-alert sends a test"
    taken = tell(Alert(subject="Test of alerts", html=f"<p>{TEST_ALERT}</p>", slack=TEST_ALERT))
    missed = [name for name in wanted if name not in taken]
    if missed:
        raise NotReadyError(f"a test did not reach {' and '.join(missed)}: check the Connection")
    return f"{' and '.join(taken)} took a test: look whether it arrives"
