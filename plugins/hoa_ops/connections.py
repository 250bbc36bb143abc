"""The way to other systems: Airflow's configuration, Connections and Variables, or the environment without Airflow.

Where Airflow is not installed, a Connection is the URL in ``AIRFLOW_CONN_<ID>``, a Variable is ``AIRFLOW_VAR_<NAME>``,
and an option is ``AIRFLOW__<SECTION>__<NAME>``: the very names under which Airflow itself reads the environment.
"""

from __future__ import annotations

import os
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import psycopg

from hoa_ops.errors import SettingsError

if TYPE_CHECKING:
    from airflow.providers.smtp.hooks.smtp import SmtpHook


@cache
def has_airflow() -> bool:
    """Say whether Airflow is installed; imports nothing of it."""
    return find_spec("airflow") is not None


def option(section: str, name: str) -> str | None:
    """Return an option of Airflow's configuration, or nothing where it is not set."""
    if not has_airflow():
        return os.environ.get(f"AIRFLOW__{section.upper()}__{name.upper()}")
    from airflow.configuration import conf  # noqa: PLC0415 - imports Airflow, which not all need

    value: str | None = conf.get(section, name, fallback=None)
    return value


def option_names(section: str) -> set[str]:
    """Return the names of all options that are set in a section, whoever reads them."""
    prefix = f"AIRFLOW__{section.upper()}__"
    names = {name.removeprefix(prefix).lower() for name in os.environ if name.startswith(prefix)}
    if not has_airflow():
        return names
    from airflow.configuration import conf  # noqa: PLC0415 - imports Airflow, which not all need

    return names | set(conf.getsection(section) or ())


def variable(name: str) -> Any:
    """Return an Airflow Variable, or nothing where it is not set."""
    if not has_airflow():
        return os.environ.get(f"AIRFLOW_VAR_{name.upper()}")
    from airflow.providers.common.compat.sdk import Variable  # noqa: PLC0415 - imports Airflow, which not all need

    return Variable.get(name, default=None)


def postgres(conn_id: str) -> psycopg.Connection[Any]:
    """Connect to PostgreSQL.

    :param conn_id: id of the Airflow Connection.
    :raises SettingsError: when there is no such Connection, or it is not one to PostgreSQL.
    :raises psycopg.Error: when the server cannot be reached or refuses the login.
    """
    try:
        return _postgres(conn_id)
    except psycopg.ProgrammingError as error:
        if error.sqlstate:
            raise
        # It was not sent to any server; the error's own words may quote a password.
        raise SettingsError(
            f"the Airflow Connection {conn_id!r} cannot be read: check its host, port, login and extra"
        ) from None


def _postgres(conn_id: str) -> psycopg.Connection[Any]:
    missing = SettingsError(
        f"there is no Airflow Connection {conn_id!r}: create it, or name another in database_conn_id"
    )
    if not has_airflow():
        url = os.environ.get(f"AIRFLOW_CONN_{conn_id.upper()}")
        if not url:
            raise missing
        return psycopg.connect(url)
    from airflow.providers.common.compat.sdk import (  # noqa: PLC0415 - imports Airflow, which not all need
        AirflowException,
        AirflowNotFoundException,
    )
    from airflow.providers.postgres.hooks.postgres import PostgresHook  # noqa: PLC0415 - as above

    hook = PostgresHook(postgres_conn_id=conn_id)
    try:
        conn_type = hook.connection.conn_type
    except AirflowNotFoundException:
        raise missing from None
    except (AirflowException, ValueError):
        raise SettingsError(
            f"the Airflow Connection {conn_id!r} cannot be read: write it as a URL, such as "
            f"postgresql://LOGIN:PASSWORD@HOST/DATABASE, or as JSON"
        ) from None
    if conn_type != "postgres":
        raise SettingsError(f"the Airflow Connection {conn_id!r} is not to PostgreSQL: it must be of type postgres")
    # Not PostgresHook.run, which logs every query with its parameters.
    return hook.get_conn()  # type: ignore[return-value]


def smtp(conn_id: str) -> SmtpHook:
    """Return the provider's hook for a mail server, not yet connected.

    :param conn_id: id of the Airflow Connection.
    """
    from airflow.providers.smtp.hooks.smtp import SmtpHook  # noqa: PLC0415 - imports Airflow, which not all need

    return SmtpHook(smtp_conn_id=conn_id)
