"""The channels that alerts go to, as settings have it: Slack, e-mail, and whatever Apprise reaches, such as SMS.

Each goes through its Airflow provider's own notifier, because not every platform has this package where Airflow tells
of a missed deadline.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hoa_ops.errors import HoaOpsError
from hoa_ops.settings import get_settings
from hoa_ops.templates import mrkdwn

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from airflow.providers.common.compat.notifier import BaseNotifier

    from hoa_ops.monitoring.alerts.alert import Alert

log = logging.getLogger(__name__)

SLACK, EMAIL, APPRISE = "Slack", "e-mail", "Apprise"

SLACK_TIMEOUT = 10
"""Seconds. A Slack that does not answer must not keep the mail from going out."""


class AlertRefusedError(HoaOpsError):
    """A channel did not take an alert."""


@dataclass(frozen=True)
class Channel:
    """A configured channel, and the notifier that puts one alert into it."""

    name: str
    notifier: type[BaseNotifier]
    arguments: Mapping[str, Any]

    def send(self) -> None:
        """Put the alert into the channel; raises whatever the notifier or its service has against it."""
        # notify() and not the notifier itself, which would take braces in an error's text for a Jinja template.
        self.notifier(**self.arguments).notify({})


class AppriseChannel(Channel):
    """The channel of an Apprise Connection."""

    def send(self) -> None:
        """Put the alert into the channel. The provider's notifier would not say whether any service took it.

        :raises AlertRefusedError: when a service did not.
        """
        from apprise import Apprise  # noqa: PLC0415 - an option

        # It names phone numbers in what it logs.
        logging.getLogger("apprise").setLevel(logging.CRITICAL)
        notifier: Any = self.notifier(**self.arguments)
        services = Apprise()
        notifier.hook.set_config_from_conn(notifier.hook.get_connection(notifier.apprise_conn_id), services)
        if not services.notify(body=notifier.body, title=notifier.title, notify_type=notifier.notify_type):
            raise AlertRefusedError("a service of the Apprise Connection refused the alert, or it names no service")


def channels(alert: Alert, *, besides: str | None = None) -> list[Channel]:
    """Return the configured channels, each with the arguments that make its notifier say ``alert``.

    :param besides: a channel to leave out.
    """
    made = []
    for name in get_settings().alert_channels:
        if name == besides:
            continue
        try:
            made.append(_MAKERS[name](alert))
        except ImportError:
            # The other channels must not be lost for it, nor a DAG; `check-deployment` says it as well.
            log.error("Alerts cannot go to %s: its Airflow provider is not installed (see docs/alerts.md)", name)  # noqa: TRY400
    return made


def tell(alert: Alert, *, besides: str | None = None) -> list[str]:
    """Put an alert into every configured channel; one that fails keeps the others from nothing.

    :param besides: a channel to leave out.
    :returns: the names of the channels that took it.
    """
    taken = []
    for channel in channels(alert, besides=besides):
        try:
            channel.send()
        except Exception as error:  # noqa: BLE001 - whatever a channel raises, the next one must have its turn
            # Without the error's text: a mail server's answer may quote an address.
            kind = type(error).__name__
            log.error("The alert did not reach %s (%s): check its Connection", channel.name, kind)  # noqa: TRY400
        else:
            taken.append(channel.name)
    return taken


def _slack(alert: Alert) -> Channel:
    from airflow.providers.slack.notifications.slack_webhook import SlackWebhookNotifier  # noqa: PLC0415 - slow

    arguments = {
        "slack_webhook_conn_id": get_settings().alert_slack_conn_id,
        # What a notification shows; the message itself are the blocks.
        "text": mrkdwn(alert.text),
        "blocks": alert.slack_blocks,
        "timeout": SLACK_TIMEOUT,
        "unfurl_links": False,
    }
    return Channel(SLACK, SlackWebhookNotifier, arguments)


def _email(alert: Alert) -> Channel:
    from airflow.providers.smtp.notifications.smtp import SmtpNotifier  # noqa: PLC0415 - slow

    settings = get_settings()
    arguments = {
        "smtp_conn_id": settings.alert_smtp_conn_id or settings.smtp_conn_id,
        "to": ", ".join(settings.alert_email),
        "subject": alert.subject,
        "html_content": alert.html,
    }
    return Channel(EMAIL, SmtpNotifier, arguments)


def _apprise(alert: Alert) -> Channel:
    from airflow.providers.apprise.notifications.apprise import AppriseNotifier  # noqa: PLC0415 - an option

    arguments = {
        "apprise_conn_id": get_settings().alert_apprise_conn_id,
        "title": alert.subject,
        "body": alert.text,
        "notify_type": "failure",
    }
    return AppriseChannel(APPRISE, AppriseNotifier, arguments)


_MAKERS: Mapping[str, Callable[[Alert], Channel]] = {SLACK: _slack, EMAIL: _email, APPRISE: _apprise}
