"""The command ``health``."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

from hoa_ops.cli.console import connected, say
from hoa_ops.monitoring.health import PATIENCE, STUCK, Health, JobState, check_health
from hoa_ops.settings import get_settings
from hoa_ops.templates import counted

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.description = (
        "Say whether each job was done on time and whether mail is stuck. Exit status 1 if anything is wrong."
    )
    parser.add_argument("--json", action="store_true", help="print the answer as JSON, for programs")


def run(given: Namespace) -> int:
    """Print the answer."""
    with connected() as database, database.transaction(read_only=True, patience=PATIENCE) as cursor:
        health = check_health(cursor, at=datetime.now(get_settings().zone))
    say(json.dumps(_as_json(health), indent=2, default=str) if given.json else _as_lines(health))
    return 0 if health.ok else 1


def _as_json(health: Health) -> dict[str, Any]:
    return {
        "status": health.bare["status"],
        "checked_at": health.checked_at.isoformat(),
        "jobs": [
            {
                "job": job.job.name,
                "state": job.state,
                "due_at": job.due_at.isoformat(),
                "done_for": job.done_for and job.done_for.isoformat(),
                "done_at": job.done_at and job.done_at.isoformat(),
                "reason": job.reason,
            }
            for job in health.jobs
        ],
        "outbox": {alarm: health.stuck.get(alarm, 0) for alarm in STUCK},
    }


def _as_lines(health: Health) -> str:
    lines = []
    for job in health.jobs:
        done = f"last done for {job.done_for:%Y-%m-%d %H:%M}" if job.done_for else "never done"
        match job.state:
            case JobState.LATE:
                lines.append(f"✗ {job.job}: LATE, due {job.due_at:%Y-%m-%d %H:%M}, {done}; {job.reason}")
            case JobState.REHEARSAL:
                lines.append(f"✗ {job.job}: in REHEARSAL, {done}; {job.reason}")
            case JobState.NOT_YET_DUE:
                lines.append(f"✓ {job.job}: not yet due, {done}")
            case JobState.OK:
                lines.append(f"✓ {job.job}: {done}")
    for alarm, messages in health.stuck.items():
        lines.append(f"✗ outbox: {counted(messages, 'message')} {STUCK[alarm]}; see `python -m hoa_ops outbox list`")
    return "\n".join(lines if health.stuck else [*lines, "✓ outbox: nothing is stuck"])
