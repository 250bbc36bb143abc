"""What people are told when something is wrong, and the forms that it takes on its way to them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hoa_ops.templates import mrkdwn, render

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hoa_ops.monitoring.alerts.runbook import Advice

LONGEST_HEADER = 150
"""Characters that Slack takes in a header block."""


@dataclass(frozen=True)
class Link:
    """Where to look.

    :param label: what the link says, such as ``Open the log``.
    """

    label: str
    url: str


@dataclass(frozen=True)
class Alert:
    """What people are told: ids and counts only, no association and nobody's name.

    :param subject: the subject of the mail, and the heading everywhere.
    :param sentence: what happened, in a whole sentence.
    :param icon: name of the emoji that goes before it on Slack.
    :param error: what was said by what failed, to be quoted.
    :param facts: by label.
    :param advice: what to do about it.
    """

    subject: str
    sentence: str
    icon: str = "red_circle"
    error: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)
    advice: Advice | None = None
    link: Link | None = None

    @property
    def html(self) -> str:
        """The body of a mail."""
        return render("monitoring/alerts/email.html", alert=self)

    @property
    def text(self) -> str:
        """Plain text, short enough for a phone: what happened, and where to look."""
        lines = [self.sentence, self.error, self.link.url if self.link else ""]
        return "\n".join(line for line in lines if line)

    @property
    def slack_blocks(self) -> list[dict[str, Any]]:
        """The blocks of a Slack message."""
        heading = f":{self.icon}: {self.subject}"[:LONGEST_HEADER]
        blocks: list[dict[str, Any]] = [
            {"type": "header", "text": {"type": "plain_text", "text": heading, "emoji": True}},
            _section("\n".join([mrkdwn(self.sentence), *(f"> {mrkdwn(line)}" for line in self.error.splitlines())])),
        ]
        if self.facts:
            fields = [_mrkdwn(f"*{label}*\n{mrkdwn(value)}") for label, value in self.facts.items()]
            blocks.append({"type": "section", "fields": fields})
        if self.advice:
            blocks.append(_section(f"*What to do:* {mrkdwn(self.advice.line)}\nRunbook: {mrkdwn(self.advice.link)}"))
        if self.link:
            blocks.append(_section(f"<{self.link.url}|{self.link.label}>"))
        return blocks


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": _mrkdwn(text)}


def _mrkdwn(text: str) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": text}
