"""What people do to messages that delivery cannot finish: ``python -m hoa_ops outbox ...``.

Whoever acts says who they are and why; both are kept beside the message for ever.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING
from uuid import UUID

from hoa_ops.cli.console import connected, say, words
from hoa_ops.database import statement
from hoa_ops.delivery.message_state import UNFINISHED, Channel, MessageState
from hoa_ops.errors import RequestError
from hoa_ops.settings import get_settings

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace, _SubParsersAction
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from hoa_ops.database import Cursor
    from hoa_ops.engine.report import Row


class Action(StrEnum):
    """What a person can do to a message."""

    REQUEUE = "requeue"
    CANCEL = "cancel"
    MAILED = "mailed"


@dataclass(frozen=True)
class _Rule:
    """Which messages an action is for, and what becomes of them.

    :param letters: whether it is for letters that are still to be printed, too.
    """

    acts_on: Collection[MessageState]
    becomes: MessageState
    help: str
    letters: bool = False

    def allows(self, message: Row) -> bool:
        is_letter_to_print = message["channel"] == Channel.LETTER and message["state"] == MessageState.PENDING
        return message["state"] in self.acts_on or (self.letters and is_letter_to_print)

    def is_done(self, message: Row) -> bool:
        return bool(message["state"] == self.becomes and not self.allows(message))

    @property
    def scope(self) -> str:
        """What it is for, in words."""
        states = " or ".join(sorted(self.acts_on))
        return f"messages that are {states}{', and for letters to be printed' if self.letters else ''}"


_STUCK = tuple(state for state in MessageState if state.needs_person)
_RULES = {
    Action.REQUEUE: _Rule(
        _STUCK, MessageState.PENDING, "send failed or uncertain e-mails again, with the next delivery"
    ),
    Action.CANCEL: _Rule(
        (*_STUCK, MessageState.PENDING), MessageState.CANCELED, "never send messages that have not been sent yet"
    ),
    Action.MAILED: _Rule(
        _STUCK,
        MessageState.SENT,
        "record that messages reached people another way: printed and mailed, for example",
        letters=True,
    ),
}


def act(cursor: Cursor, action: Action, ids: Sequence[UUID], *, who: str, why: str) -> int:
    """Do something to messages by hand, to all of them or to none; those to which it was done already are left.

    :param who: the person who decided it.
    :param why: the reason, for whoever reads the record.
    :returns: to how many messages it was done now.
    :raises RequestError: naming each message to which it cannot be done, and why.
    """
    rule = _RULES[action]
    found = {row["id"]: row for row in cursor.rows(statement("delivery/find_for_action.sql"), {"ids": list(ids)})}
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
        statement("delivery/act.sql"),
        {"ids": to_do, "action": action, "state": rule.becomes, "who": who, "why": why},
    )


def add_commands(commands: _SubParsersAction[ArgumentParser]) -> None:
    """Add the commands to the command line."""
    outbox = commands.add_parser("outbox", help="look at messages, send them again, cancel them")
    commands = outbox.add_subparsers(dest="outbox_command", required=True)

    list_command = commands.add_parser("list", help="list messages, without what is personal")
    list_command.add_argument(
        "--state",
        action="append",
        choices=list(MessageState),
        help="default: all that are unfinished; repeatable",
    )
    list_command.add_argument("--channel", choices=list(Channel), help="e-mails or letters only")
    list_command.add_argument("--tenant", help="code or id of one association")
    list_command.add_argument("--limit", type=int, default=100, help="show no more than this many (default: 100)")
    list_command.set_defaults(run=_list)

    show_command = commands.add_parser("show", help="show one message whole, and what people did to it")
    show_command.add_argument("id", type=UUID)
    show_command.set_defaults(run=_show)

    for action, rule in _RULES.items():
        command = commands.add_parser(action, help=rule.help)
        command.add_argument("ids", type=UUID, nargs="+", metavar="ID")
        command.add_argument("--who", type=words, required=True, help="your name, for the record")
        command.add_argument("--why", type=words, required=True, help="the reason, for the record")
        command.set_defaults(run=_act, action=action)


def _list(given: Namespace) -> None:
    parameters = {
        "states": given.state or [str(state) for state in UNFINISHED],
        "channel": given.channel,
        "tenant": given.tenant,
        "limit": given.limit,
    }
    with connected() as database, database.transaction(read_only=True) as cursor:
        rows = cursor.rows(statement("delivery/list.sql"), parameters)
    for row in rows:
        say(
            f"{row['id']}  {row['state']:<9}  {row['channel']:<6}  {_local(row['created_at'])}  "
            f"{row['attempts']:>2} tries  {row['code'] or '?'}  {row['kind']}"
        )
    found = rows[0]["found"] if rows else 0
    say(f"{found} message(s){f', the oldest {len(rows)} shown' if found > len(rows) else ''}")


def _show(given: Namespace) -> None:
    with connected() as database, database.transaction(read_only=True) as cursor:
        message = cursor.row(statement("delivery/show.sql"), {"id": given.id})
    if message is None:
        raise RequestError(f"there is no message {given.id}")
    facts = {
        "Message": message["id"],
        "Association": f"{message['tenant_name']} ({message['code']})",
        "State": f"{message['state']} after {message['attempts']} tries",
        "Goes by": message["channel"],
        "To": message["recipient_name"],
        "Address": message["recipient_address"] or "none",
        "Queued": _local(message["created_at"]),
        "Server said": message["last_response"] or "nothing",
        "Subject": message["subject"],
    }
    for name, fact in facts.items():
        say(f"{name + ':':<13}{fact}")
    for action in message["actions"]:
        say(
            f"{'By hand:':<13}{action['action']} by {action['acted_by']} "
            f"at {action['acted_at'][:16].replace('T', ' ')}: {action['reason']}"
        )
    say(f"\n{message['text_body']}")


def _act(given: Namespace) -> None:
    with connected() as database, database.transaction() as cursor:
        done = act(cursor, given.action, given.ids, who=given.who, why=given.why)
    say(f"{done} message(s) now {_RULES[given.action].becomes}, {len(set(given.ids)) - done} already were")


def _local(moment: datetime) -> str:
    return f"{moment.astimezone(get_settings().zone):%Y-%m-%d %H:%M}"
