"""Messages on their way into the outbox."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hoa_ops.database import as_json, statement
from hoa_ops.templates import render

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from hoa_ops.database import Cursor
    from hoa_ops.engine.report import MessageStates


@dataclass(frozen=True)
class MessageKind:
    """A kind of message and how it is composed from the facts that a ``messages.sql`` gives.

    :param name: key of the kind in the outbox; its templates are ``<folder>/email.txt`` and ``.html``.
    :param subject: format string over the facts.
    :param sender: format string over the facts: the display name of the sender.
    :param attachment: names of the facts from which an attached document is drawn when the message leaves.
    """

    name: str
    folder: str
    subject: str
    sender: str
    attachment: Sequence[str] = ()

    def enqueue(self, cursor: Cursor, facts: Sequence[Mapping[str, Any]], *, tenant_id: UUID, run_id: UUID) -> None:
        """Freeze one message per row of facts in the outbox, in the transaction that made them true.

        :param facts: rows with ``reference_id``, ``recipient_id``, ``recipient_name``, ``email``, ``postal_address``,
            ``preference``, ``must_be_served``, ``tenant_name`` and whatever the templates show.
        """
        if not facts:
            return
        cursor.run_many(
            statement("delivery/enqueue.sql"),
            [
                {
                    **{name: fact[name] for name in _ROUTING},
                    "tenant_id": tenant_id,
                    "run_id": run_id,
                    "kind": self.name,
                    "sender_name": self.sender.format_map(fact),
                    "subject": self.subject.format_map(fact),
                    "text_body": render(f"{self.folder}/email.txt", **fact),
                    "html_body": render(f"{self.folder}/email.html", **fact),
                    "attachment": as_json({name: fact[name] for name in self.attachment}) if self.attachment else None,
                }
                for fact in facts
            ],
        )


_ROUTING = (
    "reference_id",
    "recipient_id",
    "recipient_name",
    "email",
    "postal_address",
    "preference",
    "must_be_served",
)


def message_states(cursor: Cursor, *, dag_run_id: str, job: str) -> MessageStates:
    """Say what became of the messages of a DAG run's job so far."""
    states: MessageStates = {}
    for row in cursor.rows(statement("engine/notifications.sql"), {"dag_run_id": dag_run_id, "job": job}):
        state = "post" if row["channel"] == "post" and row["state"] == "pending" else row["state"]
        states.setdefault(str(row["reference_id"]), Counter())[state] += row["messages"]
    return states
