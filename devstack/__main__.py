"""``python -m devstack up | down | demo``."""

import argparse
import signal
import sys
from types import FrameType

from devstack import demo, up
from devstack.stack import Stack

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def down() -> None:
    """Stop what ``up`` or an interrupted demo left running; data and mail stay."""
    for folder in (up.FOLDER, demo.FOLDER):
        Stack(folder).stop()
    print("Nothing is running.")


def main() -> int:
    """Run one command; return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m devstack", description="The whole stack on this machine.")
    parser.add_argument("command", choices=["up", "down", "demo"])
    command = parser.parse_args().command
    for number in SIGNALS:
        signal.signal(number, _leave)
    try:
        {"up": up.up, "down": down, "demo": demo.run}[command]()
    except (RuntimeError, OSError) as error:
        print(f"\n{command} failed: {error}", file=sys.stderr)
        return 1
    return 0


def _leave(number: int, _frame: FrameType | None) -> None:
    for further in SIGNALS:
        signal.signal(further, signal.SIG_IGN)
    print("\nStopping everything ...", file=sys.stderr, flush=True)
    sys.exit(128 + number)


if __name__ == "__main__":
    sys.exit(main())
