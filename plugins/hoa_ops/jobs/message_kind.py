"""The kinds of messages that jobs write."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class MessageKind:
    """A kind of message, and how it is composed from the facts that a job's ``messages.sql`` gives.

    :param name: key of the kind in the outbox.
    :param subject: format string over the facts.
    :param sender: format string over the facts: the display name of the sender.
    :param attachment: names of the facts from which an attached document is drawn when the message leaves.
    :param still_due_sql: query below ``include/sql`` that says, just before a message leaves, whether it is still true.
    :param replaces_earlier: whether a new message says all that earlier ones to the recipient said, so that those which
        have not left are not sent any more.
    """

    name: str
    subject: str
    sender: str
    attachment: tuple[str, ...] = ()
    still_due_sql: str | None = None
    replaces_earlier: bool = False
