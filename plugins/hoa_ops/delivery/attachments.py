"""Documents that are drawn from frozen facts when their message leaves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True)
class Attachment:
    """A PDF beside a message."""

    filename: str
    content: bytes


def _assessment_invoice(facts: Mapping[str, Any]) -> Attachment:
    from hoa_ops.delivery.invoice_pdf import invoice_pdf  # noqa: PLC0415 - slow to import, and most tasks draw nothing

    return Attachment(f"{facts['invoice_number']}.pdf", invoice_pdf(facts))


ATTACHMENTS: Mapping[str, Callable[[Mapping[str, Any]], Attachment]] = {
    "assessment_invoice": _assessment_invoice,
}
"""Per kind of message: how its attachment is drawn from the message's facts."""


def draw_attachment(message: Mapping[str, Any]) -> Attachment | None:
    """Draw the attachment of a row of the outbox, if its kind has one."""
    if message["attachment"] is None:
        return None
    return ATTACHMENTS[message["kind"]](message["attachment"])
