"""The command ``check-deployment``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hoa_ops.cli.arguments import mail_address
from hoa_ops.cli.console import say, use_connections
from hoa_ops.errors import HoaOpsError
from hoa_ops.monitoring.deployment import checks

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.description = (
        "Check settings, Connections, tables, rights, mail server and alerts, the way the jobs use them. "
        "Exit status 1 if anything is wrong."
    )
    parser.add_argument(
        "--send-mail-to", type=mail_address, metavar="ADDRESS", help="also send a test message to this address"
    )
    parser.add_argument("--send-alert", action="store_true", help="also send a test alert to every configured channel")


def run(given: Namespace) -> int:
    """Print what each check found."""
    use_connections()
    ready = True
    for subject, check in checks(send_mail_to=given.send_mail_to, send_alert=given.send_alert).items():
        try:
            say(f"✓ {subject}: {check()}")
        except HoaOpsError as error:
            ready = False
            say(f"✗ {subject}: {error}")
    return 0 if ready else 1
