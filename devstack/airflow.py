"""Real Airflow: its four components as processes, with all they write in one folder."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from devstack.airflow_api import AirflowApi
from devstack.keys import Keys
from devstack.ports import LOOPBACK, free_port
from devstack.sessions import Sessions
from devstack.waiting import wait_until

CHECKOUT = Path(__file__).resolve().parent.parent
COMPONENTS = ("api-server", "scheduler", "dag-processor", "triggerer")
ADMIN = "admin"
START_LIMIT = 180


class AirflowError(RuntimeError):
    """Airflow did not start; the message names the log to read."""


class EmbeddedAirflow:
    """An Airflow whose ``AIRFLOW_HOME`` is ``home``.

    ``variables`` is what makes it this Airflow: settings and connections as environment variables. ``environment`` is
    that on top of the environment that we were started in.

    :param metadata_dsn: the PostgreSQL database for Airflow itself.
    :param sessions: where the processes are recorded, so that another process can stop them.
    :param keys: keys and passwords, kept between starts.
    :param variables: added to the environment of every component: connections and settings.
    :param dags: the folder with the DAG files.
    :param schedules: ``False`` starts only runs that somebody asks for.
    :param port: of the API server, if it is free; else any.
    """

    def __init__(
        self,
        home: Path,
        *,
        metadata_dsn: str,
        sessions: Sessions,
        keys: Keys,
        variables: Mapping[str, str],
        dags: Path = CHECKOUT / "dags",
        schedules: bool = True,
        port: int = 8080,
    ) -> None:
        self.home = home.resolve()
        self.logs = self.home / "logs"
        self.port = free_port(port)
        self.url = f"http://{LOOPBACK}:{self.port}"
        self.admin_password = keys["admin"]
        self._sessions = sessions
        self._passwords_file = self.home / "passwords.json"
        self.variables = self._settings(metadata_dsn, keys, dags, schedules=schedules) | dict(variables)
        self.environment = surroundings() | self.variables

    def migrate(self) -> None:
        """Create or upgrade Airflow's own tables."""
        self.run("db", "migrate")

    def run(self, *arguments: str) -> str:
        """Run one ``airflow`` command to its end and return what it printed."""
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        command = subprocess.run(
            airflow_command(*arguments),
            env=self.environment,
            cwd=self.home,
            capture_output=True,
            text=True,
            check=False,
        )
        if command.returncode != 0:
            message = f"airflow {' '.join(arguments)} failed:\n{command.stdout}{command.stderr}"
            raise AirflowError(message)
        return command.stdout

    def start(self) -> None:
        """Start all components; :meth:`wait_until_healthy` tells when they work."""
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._passwords_file.touch(mode=0o600)
        self._passwords_file.write_text(f'{{"{ADMIN}": "{self.admin_password}"}}')
        for component in COMPONENTS:
            log = self.logs / f"{component}.log"
            self._sessions.start(component, airflow_command(component), env=self.environment, cwd=self.home, log=log)

    def wait_until_healthy(self, limit: float = START_LIMIT) -> AirflowApi:
        """Return a client once every component reports that it works."""
        api = AirflowApi(self.url, ADMIN, self.admin_password)

        def healthy() -> bool:
            dead = self._sessions.dead()
            if dead:
                message = f"airflow {dead[0]} ended at start; see {self.logs / dead[0]}.log"
                raise AirflowError(message)
            return api.is_healthy()

        wait_until(healthy, f"Airflow did not become healthy (logs: {self.logs})", limit=limit)
        return api

    def _settings(self, metadata_dsn: str, keys: Keys, dags: Path, *, schedules: bool) -> dict[str, str]:
        sections: dict[str, dict[str, object]] = {
            "core": {
                "dags_folder": dags,
                "plugins_folder": CHECKOUT / "plugins",
                "load_examples": False,
                "executor": "LocalExecutor",
                "parallelism": 2,
                "fernet_key": keys["fernet"],
                "simple_auth_manager_users": f"{ADMIN}:admin",
                "simple_auth_manager_passwords_file": self._passwords_file,
                "execution_api_server_url": f"{self.url}/execution/",
            },
            "database": {"sql_alchemy_conn": metadata_dsn.replace("postgresql://", "postgresql+psycopg2://")},
            "logging": {
                "base_log_folder": self.logs,
                "dag_processor_child_process_log_directory": self.logs / "dag_processor",
                "colored_console_log": False,
                # Two installations on one machine must not share these.
                "worker_log_server_port": free_port(),
                "trigger_log_server_port": free_port(),
            },
            "api": {
                "host": LOOPBACK,
                "port": self.port,
                "base_url": self.url,
                "workers": 1,
                "secret_key": keys["api"],
            },
            "api_auth": {"jwt_secret": keys["jwt"]},
            # The defaults are for a cluster. Here one person waits for one run.
            "scheduler": {
                "scheduler_heartbeat_sec": 1,
                "job_heartbeat_sec": 2,
                "scheduler_idle_sleep_time": 0.2,
                "use_job_schedule": schedules,
            },
            "dag_processor": {
                "parsing_processes": 1,
                "refresh_interval": 5,
                "bundle_refresh_check_interval": 1,
            },
            "triggerer": {"job_heartbeat_sec": 2},
        }
        return {
            f"AIRFLOW__{section}__{name}".upper(): str(value)
            for section, settings in sections.items()
            for name, value in settings.items()
        } | {"AIRFLOW_HOME": str(self.home)}


def airflow_command(*arguments: str) -> list[str]:
    """Return the command line of an ``airflow`` command, run by this Python."""
    return [sys.executable, "-m", "airflow", *arguments]


def surroundings() -> dict[str, str]:
    """The environment of whoever started us, without what would lead Airflow or PostgreSQL elsewhere."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "PG", "PYTHON"))}
    # A proxy cannot reach our loopback.
    return kept | {"NO_PROXY": f"{LOOPBACK},localhost", "no_proxy": f"{LOOPBACK},localhost"}
