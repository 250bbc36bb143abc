"""Messages on their way into the outbox."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from hoa_ops.database import as_json, statement
from hoa_ops.templates import render

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from hoa_ops.database import Cursor
    from hoa_ops.jobs import Job


def enqueue(cursor: Cursor, job: Job, facts: Sequence[Mapping[str, Any]], *, tenant_id: UUID, run_id: UUID) -> None:
    """Freeze one message of a job per row of facts in the outbox, in the transaction that made them true.

    :param facts: rows with ``reference_id``, ``recipient_id``, ``recipient_name``, ``email``, ``postal_address``,
        ``preference``, ``must_be_served``, ``tenant_name`` and whatever the templates show.
    """
    if not facts:
        return
    kind = job.message_kind
    cursor.run_many(
        statement("delivery/enqueue.sql"),
        [
            {
                **{name: fact[name] for name in _ROUTING},
                "tenant_id": tenant_id,
                "run_id": run_id,
                "kind": kind.name,
                "sender_name": kind.sender.format_map(fact),
                "subject": kind.subject.format_map(fact),
                "text_body": render(f"{job}/email.txt", **fact),
                "html_body": render(f"{job}/email.html", **fact),
                "attachment": as_json({name: fact[name] for name in kind.attachment}) if kind.attachment else None,
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


MessageStates = dict[str, Counter[str]]
"""Per subject of a message (its ``reference_id`` as text): how many are in which state (``post``: letters to print)."""


def message_states(cursor: Cursor, *, dag_run_id: str, job: Job) -> MessageStates:
    """Say what became of the messages of a DAG run's job so far."""
    states: MessageStates = {}
    for row in cursor.rows(statement("engine/notifications.sql"), {"dag_run_id": dag_run_id, "job": job.name}):
        state = "post" if row["channel"] == "post" and row["state"] == "pending" else row["state"]
        states.setdefault(str(row["reference_id"]), Counter())[state] += row["messages"]
    return states
