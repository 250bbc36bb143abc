"""Messages on their way into the outbox."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hoa_ops.database import as_json, query
from hoa_ops.delivery.message_state import Channel, MessageState
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
        query("delivery/enqueue.sql"),
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
    if kind.replaces_earlier:
        cursor.run(query("delivery/replace_earlier.sql"), {"tenant_id": tenant_id, "run_id": run_id, "kind": kind.name})


_ROUTING = (
    "reference_id",
    "recipient_id",
    "recipient_name",
    "email",
    "postal_address",
    "preference",
    "must_be_served",
)


MessageOutcomes = dict[str, list[str]]
"""Per subject of messages (their ``reference_id`` as text): what became of them, in words."""


def message_outcomes(cursor: Cursor, *, dag_run_id: str, job: Job) -> MessageOutcomes:
    """Say what became of the messages of a DAG run's job so far."""
    outcomes: MessageOutcomes = {}
    for row in cursor.rows(query("delivery/outcomes.sql"), {"dag_run_id": dag_run_id, "job": job.name}):
        outcome = MessageState(row["state"]).outcome(Channel(row["channel"]))
        outcomes.setdefault(str(row["reference_id"]), []).append(outcome)
    return outcomes
