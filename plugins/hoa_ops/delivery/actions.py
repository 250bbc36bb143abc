"""What people do to messages that delivery cannot finish.

Whoever acts says who they are and why; both are kept beside the message forever.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING
from uuid import UUID

from hoa_ops.database import query
from hoa_ops.delivery.message_state import Channel, MessageState
from hoa_ops.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from hoa_ops.associations import Tenant
    from hoa_ops.database import Cursor, Row


class Action(StrEnum):
    """What a person can do to a message."""

    REQUEUE = "requeue"
    CANCEL = "cancel"
    MAILED = "mailed"


@dataclass(frozen=True)
class Rule:
    """Which messages an action is for, and what becomes of them.

    :param help: what the action does, for the person who chooses it.
    :param letters: whether it is for letters that are still to be printed, too.
    """

    acts_on: Collection[MessageState]
    becomes: MessageState
    help: str
    letters: bool = False

    def allows(self, message: Row) -> bool:
        """Say whether the action is for a message."""
        is_letter_to_print = message["channel"] == Channel.LETTER and message["state"] == MessageState.PENDING
        return message["state"] in self.acts_on or (self.letters and is_letter_to_print)

    def is_done(self, message: Row) -> bool:
        """Say whether the action has been done to a message."""
        return bool(message["state"] == self.becomes and not self.allows(message))

    @property
    def scope(self) -> str:
        """What it is for, in words."""
        states = " or ".join(sorted(self.acts_on))
        return f"messages that are {states}{', and for letters to be printed' if self.letters else ''}"


_STUCK = tuple(state for state in MessageState if state.needs_person)
RULES = {
    Action.REQUEUE: Rule(
        _STUCK, MessageState.PENDING, "send failed or uncertain e-mails again, with the next delivery"
    ),
    Action.CANCEL: Rule(
        (*_STUCK, MessageState.PENDING), MessageState.CANCELED, "never send messages that have not been sent yet"
    ),
    Action.MAILED: Rule(
        _STUCK,
        MessageState.SENT,
        "record that messages reached their recipients another way, such as printed and mailed",
        letters=True,
    ),
}


def act(cursor: Cursor, action: Action, ids: Sequence[UUID], *, who: str, why: str) -> int:
    """Do something to messages, to all of them or to none; those to which it was done already are left.

    :param who: the person who decided it.
    :param why: the reason, for whoever reads the record.
    :returns: to how many messages it was done now.
    :raises RequestError: naming each message to which it cannot be done, and why.
    """
    rule = RULES[action]
    found = {row["id"]: row for row in cursor.rows(query("delivery/find_for_action.sql"), {"ids": list(ids)})}
    faults = [f"there is no message {message_id}" for message_id in ids if message_id not in found]
    faults += [
        f"message {row['id']} is {row['state']}"
        for row in found.values()
        if not rule.allows(row) and not rule.is_done(row)
    ]
    if faults:
        raise RequestError(f"nothing was changed: {'; '.join(faults)} ({action} is for {rule.scope})")
    to_do = [row["id"] for row in found.values() if rule.allows(row)]
    return cursor.run(
        query("delivery/act.sql"),
        {"ids": to_do, "action": action, "state": rule.becomes, "who": who, "why": why},
    )


def list_messages(
    cursor: Cursor, *, states: Sequence[str], channel: str | None, tenant: Tenant | None, limit: int
) -> tuple[list[Row], int]:
    """Return messages, the oldest first, without what is personal, and how many there are in all.

    :param states: the states to look for.
    :param channel: None: any.
    :param tenant: None: of all associations.
    :param limit: return no more than this many.
    """
    rows = cursor.rows(
        query("delivery/list.sql"),
        {
            "states": list(states),
            "channel": channel,
            "tenant_id": tenant and tenant.tenant_id,
            "limit": limit,
        },
    )
    return rows, rows[0]["found"] if rows else 0


def find_message(cursor: Cursor, message_id: UUID) -> Row:
    """Return a message in full, and what people did to it.

    :raises RequestError: when there is none such.
    """
    message = cursor.row(query("delivery/show.sql"), {"id": message_id})
    if message is None:
        raise RequestError(f"there is no message {message_id}")
    return message
