"""Waiting for something with a limit instead of sleeping and hoping."""

import time
from collections.abc import Callable


class NotInTimeError(TimeoutError):
    """What was waited for did not happen within its limit."""


def wait_until(done: Callable[[], bool], what: str, *, limit: float, pause: float = 0.1) -> None:
    """Call ``done`` every ``pause`` seconds until it is true, for ``limit`` seconds at most."""
    deadline = time.monotonic() + limit
    while not done():
        if time.monotonic() > deadline:
            message = f"{what}: not within {limit:.0f} seconds"
            raise NotInTimeError(message)
        time.sleep(pause)
