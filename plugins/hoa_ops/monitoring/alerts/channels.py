"""The channels that alerts go to, as settings have it: Slack and e-mail, each through its provider's own notifier."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hoa_ops.settings import get_settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow.providers.common.compat.notifier import BaseNotifier

log = logging.getLogger(__name__)

SLACK_TIMEOUT = 10
"""Seconds. A Slack that does not answer must not keep the mail from going out."""


@dataclass(frozen=True)
class Alert:
    """What is said to people, in the form of each channel. Ids and counts only: no association, nobody's name.

    :param subject: subject of the mail.
    :param html: body of the mail.
    :param slack: Slack's mrkdwn.
    """

    subject: str
    html: str
    slack: str


@dataclass(frozen=True)
class Channel:
    """A configured channel and the notifier that puts one alert into it."""

    name: str
    notifier: type[BaseNotifier]
    arguments: Mapping[str, Any]


def channels(alert: Alert) -> list[Channel]:
    """Return the configured channels, each with the arguments that make its notifier say ``alert``."""
    settings = get_settings()
    configured = []
    if settings.alert_slack_conn_id:
        from airflow.providers.slack.notifications.slack_webhook import SlackWebhookNotifier  # noqa: PLC0415 - slow

        arguments = {
            "slack_webhook_conn_id": settings.alert_slack_conn_id,
            "text": alert.slack,
            "timeout": SLACK_TIMEOUT,
            "unfurl_links": False,
        }
        configured.append(Channel("Slack", SlackWebhookNotifier, arguments))
    if settings.alert_email:
        from airflow.providers.smtp.notifications.smtp import SmtpNotifier  # noqa: PLC0415 - slow

        arguments = {
            "smtp_conn_id": settings.alert_smtp_conn_id or settings.smtp_conn_id,
            "to": ", ".join(settings.alert_email),
            "subject": alert.subject,
            "html_content": alert.html,
        }
        configured.append(Channel("e-mail", SmtpNotifier, arguments))
    return configured


def tell(alert: Alert) -> list[str]:
    """Put an alert into every configured channel; one that fails keeps the others from nothing.

    :returns: the names of the channels that took it.
    """
    taken = []
    for channel in channels(alert):
        try:
            # notify() and not the notifier itself, which would take braces in an error's text for a Jinja template.
            channel.notifier(**channel.arguments).notify({})
        except Exception as error:  # noqa: BLE001 - whatever a channel raises, the next one must have its turn
            # Without the error's text: a mail server's answer may quote an address.
            kind = type(error).__name__
            log.error("The alert did not reach %s (%s): check its Connection", channel.name, kind)  # noqa: TRY400
        else:
            taken.append(channel.name)
    return taken
