"""The associations' database of a stack, set up by the project's own commands as a deployment does it."""

import subprocess
import sys
from collections.abc import Mapping
from datetime import date

from devstack import demo_data
from devstack.airflow import CHECKOUT
from devstack.keys import Keys
from devstack.postgres import EmbeddedPostgres

DATABASE = "associations"
OWNER = "hoa_ops_owner"
WORKER = "hoa_ops_worker"


class SetupError(RuntimeError):
    """A command of the project failed; the message is what it said."""


class Associations:
    """The database with the associations' tables, and the two roles that own it and work on it.

    :param postgres: the server; it must run.
    :param keys: the roles' passwords.
    """

    def __init__(self, postgres: EmbeddedPostgres, keys: Keys) -> None:
        self._postgres = postgres
        self._keys = keys

    @property
    def owner_dsn(self) -> str:
        """The database, as the schema owner."""
        return self._postgres.dsn(DATABASE, OWNER, self._keys[OWNER])

    @property
    def worker_dsn(self) -> str:
        """The database, as the role that the tasks use."""
        return self._postgres.dsn(DATABASE, WORKER, self._keys[WORKER])

    def prepare(self, environment: Mapping[str, str], *, today: date | None) -> None:
        """Create roles, database and tables, and load the demo's data unless there are data.

        :param environment: of the commands: Airflow's settings and connections.
        :param today: see :func:`devstack.demo_data.load`.
        """
        # Passwords belong in the environment: a command line can be read by every user.
        environment = dict(environment) | {
            "PYTHONPATH": str(CHECKOUT / "plugins"),
            "HOA_OPS_ADMIN_DSN": self._postgres.dsn(),
            "HOA_OPS_OWNER_DSN": self.owner_dsn,
            "HOA_OPS_OWNER_PASSWORD": self._keys[OWNER],
            "HOA_OPS_WORKER_PASSWORD": self._keys[WORKER],
        }
        _hoa_ops("create-roles", "--database", DATABASE, "--schema-owner", OWNER, "--worker", WORKER, env=environment)
        _hoa_ops("migrate", env=environment)
        _hoa_ops("grant", "--role", WORKER, env=environment)
        _hoa_ops("go-live", "--all-jobs", "--who", "devstack", "--why", "its data are made up", env=environment)
        demo_data.load(self.owner_dsn, today=today)


def _hoa_ops(*arguments: str, env: Mapping[str, str]) -> None:
    command = subprocess.run(
        [sys.executable, "-m", "hoa_ops", *arguments],
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    if command.returncode != 0:
        message = f"python -m hoa_ops {arguments[0]} failed:\n{command.stdout}{command.stderr}"
        raise SetupError(message)
