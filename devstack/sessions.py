"""Start processes so that all of them, children included, can be found and stopped later, even after a crash.

Each process is started as the leader of a session of its own. Whatever it starts stays in that session. (The
process group is not enough: Airflow moves its tasks to groups of their own.) The session ids are written to a
file at once; whoever reads the file later can stop all of them. A session id alone could belong to a stranger
by then, so a process counts as ours only if its working folder is ours as well.
"""

import json
import os
import subprocess
import threading
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import psutil

from devstack.waiting import NotInTimeError, wait_until

SECONDS_TO_OBEY = 15


class Sessions:
    """The sessions running in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self._record = self.folder / "sessions.json"
        self._lock = threading.Lock()
        self._children: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def recorded(self) -> dict[str, int]:
        """Names and session ids of what was started here and not stopped since."""
        if not self._record.exists():
            return {}
        sessions: dict[str, int] = json.loads(self._record.read_text())
        return sessions

    def start(self, name: str, command: Sequence[str | Path], *, env: Mapping[str, str], cwd: Path, log: Path) -> None:
        """Start ``command`` detached, its output appended to ``log``."""
        cwd.mkdir(parents=True, exist_ok=True)
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            process = subprocess.Popen(
                [str(part) for part in command],
                env=dict(env),
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        with self._lock:
            self._children[name] = process
            self._write(self.recorded | {name: process.pid})

    def dead(self) -> list[str]:
        """Names of the processes started by this object that have ended by themselves."""
        return [name for name, process in self._children.items() if process.poll() is not None]

    @property
    def complete(self) -> bool:
        """Whether everything that was started here still runs."""
        alive = {process.pid for process in self.alive()}
        return bool(alive) and alive >= set(self.recorded.values())

    def alive(self) -> list[psutil.Process]:
        """Every process in the recorded sessions, and the children of those."""
        sessions = self.recorded.values()
        members: set[psutil.Process] = set()
        for process in psutil.process_iter() if sessions else ():
            with suppress(psutil.Error, ProcessLookupError):
                if process.status() != psutil.STATUS_ZOMBIE and self._is_ours(process, sessions):
                    members.update([process, *process.children(recursive=True)])
        return list(members)

    def stop(self) -> None:
        """Stop everything: ask, wait, then insist."""
        # The third round meets what a process started while it was being stopped.
        for ask in (psutil.Process.terminate, psutil.Process.kill, psutil.Process.kill):
            for process in self.alive():
                with suppress(psutil.NoSuchProcess):
                    ask(process)
            with suppress(NotInTimeError):
                wait_until(lambda: not self.alive(), "the processes did not end", limit=SECONDS_TO_OBEY)
        left = self.alive()
        if left:
            message = f"still running after SIGKILL: {', '.join(str(process.pid) for process in left)}"
            raise RuntimeError(message)
        for child in self._children.values():
            child.wait()
        self._children.clear()
        self._record.unlink(missing_ok=True)

    def _is_ours(self, process: psutil.Process, sessions: Collection[int]) -> bool:
        return os.getsid(process.pid) in sessions and Path(process.cwd()).is_relative_to(self.folder)

    def _write(self, recorded: Mapping[str, int]) -> None:
        self._record.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self._record.with_suffix(".part")
        unfinished.write_text(json.dumps(recorded, indent=2))
        unfinished.rename(self._record)
