"""The whole stack in one folder: PostgreSQL with both databases, a mail sink, and Airflow with our DAGs."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil
import psycopg

from devstack.airflow import CHECKOUT, LocalAirflow
from devstack.airflow_api import AirflowApi
from devstack.keys import Keys
from devstack.ports import LOOPBACK, free_port, is_taken
from devstack.postgres import EmbeddedPostgres
from devstack.processes import Sessions
from devstack.waiting import wait_until

OWNER = "hoa_ops_owner"
WORKER = "hoa_ops_worker"
DATABASE = "associations"
SCHEMA = "hoa"
DEMO_DATA = CHECKOUT / "devstack" / "demo_data"


class StackError(RuntimeError):
    """A part of the stack could not be prepared."""


class Stack:
    """Everything in ``folder``: ``postgres/``, ``airflow/``, ``mail/`` and the keys.

    :param durable: see :class:`devstack.postgres.EmbeddedPostgres`.
    :param schedules: ``False`` starts only runs that somebody asks for.
    :param port: of Airflow's web page, if it is free; 0 for any.
    :param variables: more environment variables for Airflow, such as ``AIRFLOW_CONN_...``.
    :param report: called with a line about each thing that is ready.
    """

    def __init__(
        self,
        folder: Path,
        *,
        durable: bool = True,
        schedules: bool = True,
        dags: Path = CHECKOUT / "dags",
        port: int = 8080,
        variables: Mapping[str, str] | None = None,
        report: Callable[[str], None] = lambda _line: None,
    ) -> None:
        self.folder = folder.resolve()
        self.mail_folder = self.folder / "mail"
        self.postgres = EmbeddedPostgres(self.folder / "postgres", durable=durable)
        self._sessions = Sessions(self.folder)
        self._schedules = schedules
        self._dags = dags
        self._port = port
        self._variables = dict(variables or {})
        self._report = report
        self._airflow: LocalAirflow | None = None
        self._api: AirflowApi | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def airflow(self) -> LocalAirflow:
        """Airflow, once the stack has started."""
        if self._airflow is None:
            message = "the stack has not been started"
            raise StackError(message)
        return self._airflow

    @property
    def api(self) -> AirflowApi:
        """Airflow's REST API, once the stack has started."""
        if self._api is None:
            message = "the stack has not been started"
            raise StackError(message)
        return self._api

    @property
    def owner_dsn(self) -> str:
        """The associations' database, as the role that owns the tables."""
        return self.postgres.dsn(DATABASE, OWNER, self._keys[OWNER])

    @property
    def worker_dsn(self) -> str:
        """The associations' database, as the role that the tasks use."""
        return self.postgres.dsn(DATABASE, WORKER, self._keys[WORKER])

    def start(self) -> None:
        """Start everything, or nothing. Leftovers of a killed stack in the same folder are stopped first."""
        self.stop()
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def _start(self) -> None:
        self.mail_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.postgres.start()
        self._report(f"PostgreSQL answers on port {self.postgres.port}")
        self.postgres.create_database("airflow")
        mail_port = free_port()
        self._airflow = LocalAirflow(
            self.folder / "airflow",
            metadata_dsn=self.postgres.dsn("airflow"),
            sessions=self._sessions,
            keys=self._keys,
            variables=self._connections(mail_port) | self._variables,
            dags=self._dags,
            schedules=self._schedules,
            port=self._port,
        )
        with ThreadPoolExecutor() as pool:
            parts = [pool.submit(self._start_airflow), pool.submit(self._prepare_associations, mail_port)]
            # Within the block: whoever interrupts this wait still has both parts ended before anything is stopped.
            for part in parts:
                part.result()
        self._api = self.airflow.wait_until_healthy()
        self._report(f"Airflow is healthy on {self.airflow.url}")

    def stop(self) -> None:
        """Stop everything that runs in this folder, whoever started it."""
        if self._api is not None:
            self._api.close()
        try:
            self._sessions.stop()
        finally:
            self.postgres.stop()

    def remove(self) -> None:
        """Stop everything and delete the folder."""
        self.stop()
        if self.folder.exists():
            shutil.rmtree(self.folder)

    @property
    def is_running(self) -> bool:
        """Whether everything runs that a start started, whoever did it."""
        return self.postgres.is_running and self._sessions.complete

    def survivors(self) -> list[psutil.Process]:
        """Processes that still work in this folder."""
        return [*self._sessions.alive(), *self.postgres.processes()]

    @property
    def _keys(self) -> Keys:
        return Keys(self.folder / "keys.json")

    def _connections(self, mail_port: int) -> dict[str, str]:
        smtp = {
            "conn_type": "smtp",
            "host": LOOPBACK,
            "port": mail_port,
            "extra": {"disable_ssl": True, "disable_tls": True, "from_email": "billing@hoa-ops.example"},
        }
        return {
            "AIRFLOW_CONN_HOA_OPS_DB": self.worker_dsn,
            "AIRFLOW_CONN_HOA_OPS_SMTP": json.dumps(smtp),
            "AIRFLOW__HOA_OPS__TIMEZONE": "America/New_York",
        }

    def _start_airflow(self) -> None:
        self.airflow.migrate()
        self._report("Airflow's tables are ready; its components are starting")
        self.airflow.start()

    def _prepare_associations(self, mail_port: int) -> None:
        self._hoa_ops("create-roles", "--database", DATABASE, "--owner", OWNER, "--worker", WORKER)
        self._hoa_ops("migrate")
        self._hoa_ops("grant", "--role", WORKER)
        self._load_demo_data()
        self._report("the associations' database is ready")
        self._start_mail(mail_port)
        self._report(f"the mail sink listens on port {mail_port} and keeps messages in {self.mail_folder}")

    def _hoa_ops(self, *arguments: str) -> None:
        command = subprocess.run(
            [sys.executable, "-m", "hoa_ops", *arguments],
            # Passwords belong in the environment: a command line can be read by every user.
            env=self.airflow.environment
            | {
                "PYTHONPATH": str(CHECKOUT / "plugins"),
                "HOA_OPS_ADMIN_DSN": self.postgres.dsn(),
                "HOA_OPS_OWNER_DSN": self.owner_dsn,
                "HOA_OPS_OWNER_PASSWORD": self._keys[OWNER],
                "HOA_OPS_WORKER_PASSWORD": self._keys[WORKER],
            },
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        if command.returncode != 0:
            message = f"python -m hoa_ops {arguments[0]} failed:\n{command.stdout}{command.stderr}"
            raise StackError(message)

    def _load_demo_data(self) -> None:
        with psycopg.connect(self.owner_dsn, options=f"-c search_path={SCHEMA}") as connection:
            if connection.execute("SELECT FROM tenants LIMIT 1").fetchone() is not None:
                return
            for file in sorted(DEMO_DATA.glob("*.sql")):
                connection.execute(file.read_bytes())

    def _start_mail(self, port: int) -> None:
        self._sessions.start(
            "mail",
            [sys.executable, "-m", "devstack.mail", str(port), self.mail_folder],
            env=dict(os.environ) | {"PYTHONPATH": str(CHECKOUT)},
            cwd=self.mail_folder,
            log=self.folder / "mail.log",
        )
        wait_until(lambda: is_taken(port), "the mail sink did not start", limit=30)
