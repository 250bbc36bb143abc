"""The whole stack in one folder: PostgreSQL with both databases, a mail sink, and Airflow with our DAGs."""

import json
import os
import shutil
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from devstack.airflow import CHECKOUT, EmbeddedAirflow
from devstack.airflow_api import AirflowApi
from devstack.associations import Associations
from devstack.keys import Keys
from devstack.ports import LOOPBACK, free_port, is_taken
from devstack.postgres import EmbeddedPostgres
from devstack.sessions import Sessions
from devstack.waiting import wait_until

TIMEZONE = "America/New_York"


class NotStartedError(RuntimeError):
    """Asked for a part of a stack that has not been started."""


class Stack:
    """Everything in ``folder``: ``postgres/``, ``airflow/``, ``mail/`` and the keys.

    :param durable: see :class:`devstack.postgres.EmbeddedPostgres`.
    :param schedules: ``False`` starts only runs that somebody asks for.
    :param today: the day that the demo's data look back from; default: that of the user's document, October 29, 2025.
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
        today: date | None = None,
        port: int = 8080,
        variables: Mapping[str, str] | None = None,
        report: Callable[[str], None] = lambda _line: None,
    ) -> None:
        self.folder = folder.resolve()
        self.mail_folder = self.folder / "mail"
        self.postgres = EmbeddedPostgres(self.folder / "postgres", durable=durable)
        self.associations = Associations(self.postgres, self._keys)
        self._sessions = Sessions(self.folder)
        self._schedules = schedules
        self._dags = dags
        self._today = today
        self._port = port
        self._variables = dict(variables or {})
        self._report = report
        self._airflow: EmbeddedAirflow | None = None
        self._api: AirflowApi | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def airflow(self) -> EmbeddedAirflow:
        """Airflow, once the stack has started."""
        if self._airflow is None:
            message = "the stack has not been started"
            raise NotStartedError(message)
        return self._airflow

    @property
    def api(self) -> AirflowApi:
        """Airflow's REST API, once the stack has started."""
        if self._api is None:
            message = "the stack has not been started"
            raise NotStartedError(message)
        return self._api

    @property
    def owner_dsn(self) -> str:
        """The associations' database, as the schema owner."""
        return self.associations.owner_dsn

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
        self._airflow = EmbeddedAirflow(
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
            parts = [
                pool.submit(self._start_airflow),
                pool.submit(self._prepare_associations),
                pool.submit(self._start_mail, mail_port),
            ]
            # Within the block: whoever interrupts this wait still has all parts ended before anything is stopped.
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
            "AIRFLOW_CONN_HOA_OPS_DB": self.associations.worker_dsn,
            "AIRFLOW_CONN_HOA_OPS_SMTP": json.dumps(smtp),
            "AIRFLOW__HOA_OPS__TIMEZONE": TIMEZONE,
            # The days of the demo are fixed, and longer ago every day.
            "AIRFLOW__HOA_OPS__LIVE_RUN_DAYS": "36500",
        }

    def _start_airflow(self) -> None:
        self.airflow.migrate()
        self._report("Airflow's tables are ready; its components are starting")
        self.airflow.start()

    def _prepare_associations(self) -> None:
        self.associations.prepare(self.airflow.environment, today=self._today)
        self._report("the associations' database is ready")

    def _start_mail(self, port: int) -> None:
        self._sessions.start(
            "mail",
            [sys.executable, "-m", "devstack.mail_sink", str(port), self.mail_folder],
            env=dict(os.environ) | {"PYTHONPATH": str(CHECKOUT)},
            cwd=self.mail_folder,
            log=self.folder / "mail.log",
        )
        wait_until(lambda: is_taken(port), "the mail sink did not start", limit=30)
        self._report(f"the mail sink listens on port {port} and keeps messages in {self.mail_folder}")
