"""``python -m devstack up | down | demo``."""

import argparse
import fcntl
import signal
import sys
from types import FrameType

from devstack import demo
from devstack.airflow import ADMIN, CHECKOUT
from devstack.stack import Stack

UP = CHECKOUT / ".local" / "up"
DEMO = CHECKOUT / ".local" / "demo"
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def up() -> None:
    """Start the stack and leave it running."""
    stack = Stack(UP, report=lambda line: print(f"  {line}", flush=True))
    welcome = UP / "welcome.txt"
    if stack.is_running and welcome.exists():
        print(f"It is running already; `make down` stops it.\n\n{welcome.read_text()}")
        return
    stack.start()
    airflow = stack.airflow
    airflow.write_environment(UP / "environment")
    welcome.touch(mode=0o600)
    welcome.write_text(
        f"Airflow    {airflow.url}   user {ADMIN}   password {airflow.admin_password}\n"
        f"Database   {stack.worker_dsn}\n"
        f"E-mails    {stack.mail_folder}\n"
        f"Logs       {airflow.logs}\n"
        f"Commands   . '{UP / 'environment'}' && .venv/bin/airflow dags list\n"
    )
    print(f"\n{welcome.read_text()}\nEvery DAG is paused until you unpause it. `make down` stops everything.")


def show() -> None:
    """Play the demo, unless one is playing in this checkout: they would stop each other."""
    DEMO.parent.mkdir(exist_ok=True)
    with DEMO.with_suffix(".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            message = "another demo is running in this folder"
            raise RuntimeError(message) from None
        demo.run(DEMO)


def down() -> None:
    """Stop what ``up`` or an interrupted demo left running; data and mail stay."""
    for folder in (UP, DEMO):
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
        {"up": up, "down": down, "demo": show}[command]()
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
