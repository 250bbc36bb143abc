"""Where a message stands, and the words for it: the only list of states and channels in Python.

The table ``outbox`` has the same lists as CHECK constraints, with which a test compares these.
"""

from __future__ import annotations

from enum import StrEnum


class Channel(StrEnum):
    """How a message goes out."""

    EMAIL = "email"
    LETTER = "letter"


class MessageState(StrEnum):
    """Where a message stands."""

    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    UNCERTAIN = "uncertain"
    FAILED = "failed"
    OBSOLETE = "obsolete"
    SUPPRESSED = "suppressed"
    CANCELED = "canceled"

    @property
    def needs_person(self) -> bool:
        """Whether it stays so until a person decides."""
        return self in {MessageState.UNCERTAIN, MessageState.FAILED}

    @property
    def is_finished(self) -> bool:
        """Whether nothing more happens to the message."""
        return self not in {MessageState.PENDING, MessageState.SENDING} and not self.needs_person

    def label(self, channel: Channel) -> str:
        """Return the name of the state on a page."""
        return _LETTER_LABELS.get(self, self.value) if channel is Channel.LETTER else _LABELS.get(self, self.value)

    def outcome(self, channel: Channel) -> str:
        """Return what a report says of a message in this state, after “Escalated and …”."""
        return _LETTER_OUTCOMES.get(self, _OUTCOMES[self]) if channel is Channel.LETTER else _OUTCOMES[self]


UNFINISHED = tuple(state for state in MessageState if not state.is_finished)

_LABELS = {MessageState.FAILED: "dead letter", MessageState.PENDING: "queued"}
_LETTER_LABELS = {MessageState.PENDING: "to be printed", MessageState.SENT: "mailed"}

_OUTCOMES = {
    MessageState.SENT: "notification sent",
    MessageState.PENDING: "notification queued",
    MessageState.SENDING: "notification being sent",
    MessageState.SUPPRESSED: "no notification wanted",
    MessageState.OBSOLETE: "notification no longer due",
    MessageState.CANCELED: "notification canceled",
    MessageState.UNCERTAIN: "notification may not have arrived: check with the recipient",
    MessageState.FAILED: "notification NOT delivered: see the outbox",
}
_LETTER_OUTCOMES = {
    MessageState.PENDING: "letter queued for printing",
    MessageState.SENT: "letter mailed",
    MessageState.CANCELED: "letter canceled",
}
