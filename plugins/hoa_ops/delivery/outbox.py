"""Delivery of the outbox: claim a batch, hand over message by message, record each outcome at once.

A claim is committed before anything is sent, and the hand-over of each message just before it starts. So whatever kills
the task, a message that was not handed over goes back to the queue, and one that was is put in front of a person
instead of being sent twice.
"""

from __future__ import annotations

import logging
import random
import time
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from hoa_ops.database import query
from hoa_ops.delivery.mail_server import Answer, MailServerError, Verdict
from hoa_ops.delivery.message_state import MessageState
from hoa_ops.errors import HoaOpsError
from hoa_ops.jobs import JOBS

if TYPE_CHECKING:
    from hoa_ops.database import Cursor, Database
    from hoa_ops.delivery.mail_server import MailServer
    from hoa_ops.settings import Settings

log = logging.getLogger(__name__)

FIRST_DELAY = timedelta(minutes=1)
LONGEST_DELAY = timedelta(hours=1)

STILL_DUE = {job.message_kind.name: job.message_kind.still_due_sql for job in JOBS}
"""Per kind of message: the query that says, just before it leaves, whether it is still true, if there is one."""


_STATES = {
    Verdict.SENT: MessageState.SENT,
    Verdict.DEFERRED: MessageState.PENDING,
    Verdict.FAILED: MessageState.FAILED,
    Verdict.UNCERTAIN: MessageState.UNCERTAIN,
}
"""What becomes of a message by the server's verdict, as long as it may be tried again."""


class MessagesDeferredError(HoaOpsError):
    """The mail server deferred messages; the next try of the task sends them."""


class Delivery:
    """One delivery task's work on the outbox.

    :param outcomes: how many messages ended in which state so far.
    """

    def __init__(self, database: Database, server: MailServer, settings: Settings) -> None:
        self._database = database
        self._server = server
        self._settings = settings
        self._claimed_by = uuid4()
        self._next_hand_over = time.monotonic()
        self.outcomes: Counter[str] = Counter()

    def run(self) -> None:
        """Deliver all e-mails that are due.

        :raises MailServerError: when the server cannot be used; everything undelivered is back in the queue.
        :raises MessagesDeferredError: when messages are left for another try.
        """
        self._release_dead_claims()
        try:
            while batch := self._claim():
                self._deliver(batch)
        finally:
            self._server.close()
            log.info("Outbox: %s", ", ".join(f"{n} {state}" for state, n in self.outcomes.items()) or "nothing due")
        with self._database.transaction(read_only=True) as cursor:
            left = cursor.row(query("delivery/deferred.sql"), {"minutes": self._settings.mail_claim_minutes})
        if left is not None:
            raise MessagesDeferredError(
                f"{left['messages']} message(s) were deferred by the mail server or are claimed by another delivery; "
                f"they can be tried again by {left['next_try']:%Y-%m-%d %H:%M %Z}"
            )

    def _deliver(self, batch: list[dict[str, Any]]) -> None:
        for position, message in enumerate(batch):
            try:
                self._server.open()
                self._await_turn()
                if self._hand_over_recorded(message):
                    self._record(message, self._server.hand_over(message))
            except MailServerError:
                self._release(batch[position:])
                raise

    def _release_dead_claims(self) -> None:
        with self._database.transaction() as cursor:
            released = cursor.rows(
                query("delivery/release_dead_claims.sql"), {"minutes": self._settings.mail_claim_minutes}
            )
        self.outcomes.update(row["state"] for row in released if row["state"] == MessageState.UNCERTAIN)

    def _claim(self) -> list[dict[str, Any]]:
        with self._database.transaction() as cursor:
            return cursor.rows(
                query("delivery/claim.sql"),
                {"claimed_by": self._claimed_by, "batch_size": self._settings.mail_batch_size},
            )

    def _hand_over_recorded(self, message: dict[str, Any]) -> bool:
        """Commit that the message is about to leave; or that it no longer is true and stays."""
        with self._database.transaction() as cursor:
            if not self._still_due(cursor, message):
                cursor.run(query("delivery/obsolete.sql"), message)
                self.outcomes[MessageState.OBSOLETE.value] += 1
                return False
            return cursor.run(query("delivery/hand_over.sql"), message) == 1

    def _still_due(self, cursor: Cursor, message: dict[str, Any]) -> bool:
        path = STILL_DUE.get(message["kind"])
        if path is None:
            return True
        # Money that came in since the run counts too.
        today = message["claimed_at"].astimezone(self._settings.zone).date()
        about = {**message, "owner_id": message["recipient_id"], "received_by": max(message["as_of"], today)}
        return cursor.row(query(path), about) is not None

    def _record(self, message: dict[str, Any], answer: Answer) -> None:
        state = _STATES[answer.verdict]
        if state is MessageState.PENDING and message["attempts"] >= self._settings.mail_max_attempts:
            state = MessageState.FAILED
        with self._database.transaction() as cursor:
            cursor.run(
                query("delivery/record.sql"),
                {
                    "id": message["id"],
                    "claimed_by": self._claimed_by,
                    "state": state.value,
                    "response": answer.response,
                    "delay": _delay(message["attempts"]),
                },
            )
        self.outcomes["deferred" if state is MessageState.PENDING else state.value] += 1

    def _release(self, messages: list[dict[str, Any]]) -> None:
        with self._database.transaction() as cursor:
            cursor.run(
                query("delivery/release.sql"),
                {"ids": [message["id"] for message in messages], "claimed_by": self._claimed_by},
            )

    def _await_turn(self) -> None:
        """Keep to the rate limit; before the hand-over is recorded, since a task may well be killed while it waits."""
        time.sleep(max(0.0, self._next_hand_over - time.monotonic()))
        self._next_hand_over = time.monotonic() + 60 / self._settings.mail_per_minute


def _delay(attempts: int) -> timedelta:
    """Return how long a message waits after so many attempts: doubling, with jitter to spread the queue."""
    longest = min(FIRST_DELAY * (1 << min(attempts - 1, 10)), LONGEST_DELAY)
    return longest * random.uniform(0.5, 1.5)  # noqa: S311 - spreads load, keeps no secret
