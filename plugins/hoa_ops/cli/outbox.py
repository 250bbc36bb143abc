"""The command ``outbox``, with a subcommand for everything that people do with messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hoa_ops.associations import find_association
from hoa_ops.cli.arguments import add_association, add_signature, count, record_id
from hoa_ops.cli.console import connected, say
from hoa_ops.delivery.actions import RULES, act, find_message, list_messages
from hoa_ops.delivery.message_state import UNFINISHED, Channel, MessageState
from hoa_ops.settings import get_settings

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from datetime import datetime


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the command's arguments: those of its subcommands."""
    commands = parser.add_subparsers(dest="outbox_command", required=True, metavar="COMMAND")

    list_parser = commands.add_parser("list", help="list messages, without personal data")
    list_parser.add_argument(
        "--state",
        action="append",
        choices=[str(state) for state in MessageState],
        help="only messages in this state; may be repeated (default: all that are unfinished)",
    )
    list_parser.add_argument("--channel", choices=[str(channel) for channel in Channel], help="e-mails or letters only")
    add_association(list_parser, default="all")
    list_parser.add_argument(
        "--limit", type=count, default=100, metavar="NUMBER", help="list at most this many (default: %(default)s)"
    )
    list_parser.set_defaults(act=_list)

    show_parser = commands.add_parser("show", help="print a message in full, and what people did to it")
    show_parser.add_argument("id", type=record_id, metavar="ID")
    show_parser.set_defaults(act=_show)

    for action, rule in RULES.items():
        action_parser = commands.add_parser(action, help=rule.help)
        action_parser.add_argument("ids", type=record_id, nargs="+", metavar="ID")
        add_signature(action_parser)
        action_parser.set_defaults(act=_act, action=action)


def run(given: Namespace) -> None:
    """Do what the subcommand says."""
    given.act(given)


def _list(given: Namespace) -> None:
    with connected() as database, database.transaction(read_only=True) as cursor:
        tenant = find_association(cursor, given.tenant) if given.tenant else None
        rows, found = list_messages(
            cursor,
            states=given.state or [str(state) for state in UNFINISHED],
            channel=given.channel,
            tenant=tenant,
            limit=given.limit,
        )
    for row in rows:
        say(
            f"{row['id']}  {row['state']:<9}  {row['channel']:<6}  {_local(row['created_at'])}  "
            f"{row['attempts']:>2} tries  {row['code'] or '?'}  {row['kind']}"
        )
    say(f"{found} message(s){f', showing the oldest {len(rows)}' if found > len(rows) else ''}")


def _show(given: Namespace) -> None:
    with connected() as database, database.transaction(read_only=True) as cursor:
        message = find_message(cursor, given.id)
    facts = {
        "Message": message["id"],
        "Association": f"{message['tenant_name']} ({message['code']})",
        "State": f"{message['state']} after {message['attempts']} tries",
        "Channel": message["channel"],
        "To": message["recipient_name"],
        "Address": message["recipient_address"] or "none",
        "Queued": _local(message["created_at"]),
        "Response": message["last_response"] or "none",
        "Subject": message["subject"],
    }
    for name, fact in facts.items():
        say(f"{name + ':':<13}{fact}")
    for action in message["actions"]:
        say(
            f"{'Action:':<13}{action['action']} by {action['acted_by']} "
            f"at {action['acted_at'][:16].replace('T', ' ')}: {action['reason']}"
        )
    say(f"\n{message['text_body']}")


def _act(given: Namespace) -> None:
    with connected() as database, database.transaction() as cursor:
        done = act(cursor, given.action, given.ids, who=given.who, why=given.why)
    say(f"{done} message(s) now {RULES[given.action].becomes}, {len(set(given.ids)) - done} already were")


def _local(moment: datetime) -> str:
    return f"{moment.astimezone(get_settings().zone):%Y-%m-%d %H:%M}"
