"""What people read of a Slack message."""

from collections.abc import Iterator
from typing import Any


def shown(post: dict[str, Any]) -> list[str]:
    """Return the texts of a message's blocks, line by line as Slack shows them."""
    return [line for block in post["blocks"] for text in _texts(block) for line in text.splitlines()]


def _texts(block: dict[str, Any]) -> Iterator[str]:
    for element in ([block["text"]] if "text" in block else []) + block.get("fields", []):
        yield element["text"]
