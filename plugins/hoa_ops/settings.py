"""Every setting of a deployment, read from the ``[hoa_ops]`` section of Airflow's own configuration.

Airflow's configuration reaches every managed platform: as ``AIRFLOW__HOA_OPS__<NAME>`` environment variables,
as Airflow configuration options, or as a section of ``airflow.cfg``. Reading it touches neither the database nor
the network, so DAG files may use settings while they are parsed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Annotated, Self
from zoneinfo import ZoneInfo, available_timezones

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from hoa_ops.connections import option, option_names
from hoa_ops.errors import SettingsError
from hoa_ops.faults import in_sentences
from hoa_ops.text import is_mail_address

SECTION = "hoa_ops"


def _split(listed: str | Sequence[str]) -> Sequence[str]:
    return [part.strip() for part in listed.split(",") if part.strip()] if isinstance(listed, str) else listed


def find_include(plugins: Path) -> Path:
    """Return where the SQL and the templates are that belong to a ``plugins/`` folder.

    That is ``include/`` beside it, and within it on platforms that take nothing but DAGs and plugins.
    """
    beside = plugins.parent / "include"
    return beside if (beside / "sql").is_dir() else plugins / "include"


def _schema_name(name: str) -> str:
    if not re.fullmatch(r"(?!pg_)[a-z_][a-z0-9_]{0,62}", name) or name == "information_schema":
        raise ValueError(
            "write the name of a schema: at most 63 lowercase letters, digits and underscores, not beginning with a "
            "digit or pg_"
        )
    return name


def _connection_id(conn_id: str) -> str:
    if "://" in conn_id or "{" in conn_id:
        # It is not quoted, because it may hold a password.
        raise PydanticCustomError("secret", "write the id of an Airflow Connection, not the Connection itself")
    if not re.fullmatch(r"[\w#!()\-.:/\\]{1,250}", conn_id):
        raise ValueError("write the id of an Airflow Connection, such as hoa_ops_db")
    return conn_id


def _url(url: str) -> str:
    if not re.fullmatch(r"https?://[^\s<>\"|]+", url):
        raise ValueError("write a URL that begins with https:// or http://")
    return url


def _mail_addresses(addresses: Sequence[str]) -> Sequence[str]:
    if not all(map(is_mail_address, addresses)):
        raise ValueError("write e-mail addresses, separated by commas, such as operations@example.com")
    return addresses


def _unless_empty(check: Callable[[str], str]) -> Callable[[str], str]:
    return lambda text: text and check(text)


SchemaName = Annotated[str, AfterValidator(_schema_name)]
ConnectionId = Annotated[str, AfterValidator(_connection_id)]
OptionalConnectionId = Annotated[str, AfterValidator(_unless_empty(_connection_id))]
OptionalUrl = Annotated[str, AfterValidator(_unless_empty(_url))]
MailAddresses = Annotated[tuple[str, ...], BeforeValidator(_split), AfterValidator(_mail_addresses)]


class Settings(BaseModel):
    """The deployment's settings, validated; see each field's description for its meaning."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    timezone: str = Field(
        default="",
        description="IANA time zone, such as America/New_York, for all schedules and for what counts as today. "
        "Default: Airflow's own [core] default_timezone.",
    )
    database_conn_id: ConnectionId = Field(
        default="hoa_ops_db", description="Airflow Connection (Postgres) for the associations' database."
    )
    smtp_conn_id: ConnectionId = Field(
        default="hoa_ops_smtp",
        description="Airflow Connection (SMTP) for outgoing mail. Its From email is the sender address.",
    )
    associations_schema: SchemaName = Field(
        default="hoa", description="PostgreSQL schema that holds the associations' own tables."
    )
    operations_schema: SchemaName = Field(
        default="hoa_ops",
        description="PostgreSQL schema that holds this package's tables: run ledger, outbox, counters.",
    )
    include_dir: Path = Field(
        default=find_include(Path(__file__).resolve().parents[1]),
        description="Folder that holds sql/ and templates/. Default: include/ next to plugins/, or inside it.",
    )
    lock_timeout_seconds: int = Field(
        default=30,
        ge=1,
        le=3600,
        description="Seconds a job waits for an association's rows that someone else has locked. After that, the "
        "association fails alone, and the task's retry tries it again.",
    )
    live_run_days: int = Field(
        default=366,
        ge=1,
        le=36500,
        description="How many days back a live run may be dated. An older date is refused as a likely mistake.",
    )
    shards: int = Field(
        default=1,
        ge=1,
        le=64,
        description="Number of parallel tasks that split a job's associations. With 1, a job is one plain task.",
    )
    mail_per_minute: int = Field(
        default=600, ge=1, le=100000, description="Maximum number of e-mails a delivery task sends per minute."
    )
    mail_batch_size: int = Field(
        default=50, ge=1, le=1000, description="Number of messages a delivery task claims from the outbox at a time."
    )
    mail_max_attempts: int = Field(
        default=8,
        ge=1,
        le=1000,
        description="Number of temporary refusals after which a message becomes a dead letter.",
    )
    mail_claim_minutes: int = Field(
        default=15,
        ge=1,
        le=1440,
        description="Minutes after which messages claimed by a delivery task that died are claimed again.",
    )
    mail_waiting_hours: int = Field(
        default=4, ge=1, le=8760, description="Hours an e-mail may wait in the outbox before it counts as stuck."
    )
    health_grace_minutes: int = Field(
        default=120,
        ge=0,
        le=525600,
        description="Minutes after its scheduled time by which a job must be done before it counts as late.",
    )
    task_retries: int = Field(
        default=3, ge=0, le=100, description="Number of retries for a task that failed for a reason that may pass."
    )
    task_retry_seconds: int = Field(
        default=300,
        ge=1,
        le=86400,
        description="Seconds before the first retry. Each further retry waits twice as long.",
    )
    alert_slack_conn_id: OptionalConnectionId = Field(
        default="",
        description="Airflow Connection (Slack Incoming Webhook) that receives alerts. Empty: no alerts go to Slack.",
    )
    alert_email: MailAddresses = Field(
        default=(),
        description="Addresses that receive alerts, separated by commas. Empty: no alerts go by e-mail. "
        "Use a team mailbox: anyone who can see a DAG's details can see the address.",
    )
    alert_smtp_conn_id: OptionalConnectionId = Field(
        default="", description="Airflow Connection (SMTP) for alerts. Empty: the Connection for outgoing mail."
    )
    alert_apprise_conn_id: OptionalConnectionId = Field(
        default="",
        description="Airflow Connection (Apprise) for alerts by SMS, Teams, PagerDuty and others; needs the package "
        "apache-airflow-providers-apprise. Empty: no alerts go there.",
    )
    runbook_url: OptionalUrl = Field(
        default="",
        description="URL of docs/runbook.md, so that alerts can link to it. Empty: alerts name the file.",
    )
    retention_days: int = Field(
        default=30,
        ge=1,
        le=36500,
        description="Days that `python -m hoa_ops prune` keeps Airflow's run history and local log files.",
    )
    deadlines: bool = Field(
        default=True,
        description="Alert when a run has not succeeded by its deadline. "
        "Turn it off to use `airflow dags test`, which fails for any DAG that has a deadline (an Airflow bug).",
    )
    deadline_minutes_monthly_billing: float = Field(
        default=240,
        gt=0,
        le=525600,
        description="Minutes a run of hoa_monthly_billing may take, counted from when it is queued.",
    )
    deadline_minutes_violation_escalation: float = Field(
        default=120,
        gt=0,
        le=525600,
        description="Minutes a run of hoa_violation_escalation may take, counted from when it is queued.",
    )
    deadline_minutes_budget_variance: float = Field(
        default=120,
        gt=0,
        le=525600,
        description="Minutes a run of hoa_budget_variance may take, counted from when it is queued.",
    )

    @field_validator("timezone")
    @classmethod
    def _known_timezone(cls, name: str) -> str:
        name = name or option("core", "default_timezone") or "UTC"
        if name.lower() == "utc":
            return "UTC"
        if name not in available_timezones():
            raise ValueError("write the IANA name of a time zone, such as America/New_York")
        return name

    @field_validator("include_dir")
    @classmethod
    def _include_dir_is_there(cls, folder: Path) -> Path:
        # os.path's, because pathlib's raises for what is too long to be a path.
        if not os.path.isdir(folder / "sql"):  # noqa: PTH112
            raise ValueError("there is no sql/ folder in it: write the folder where include/ was deployed")
        return folder

    @model_validator(mode="after")
    def _schemas_are_two(self) -> Self:
        if self.associations_schema == self.operations_schema:
            raise ValueError(
                f"associations_schema and operations_schema are both {self.operations_schema!r}: name two schemas"
            )
        return self

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of the deployment."""
        return ZoneInfo(self.timezone)

    @property
    def sql_dir(self) -> Path:
        """Where the SQL statements are, one file a step."""
        return self.include_dir / "sql"

    @property
    def templates_dir(self) -> Path:
        """Where the templates of mails and reports are."""
        return self.include_dir / "templates"

    @property
    def alert_channels(self) -> tuple[str, ...]:
        """Names of the channels that alerts go to."""
        configured = {
            "Slack": self.alert_slack_conn_id,
            "e-mail": self.alert_email,
            "Apprise": self.alert_apprise_conn_id,
        }
        return tuple(name for name, address in configured.items() if address)

    @property
    def search_path(self) -> str:
        """The ``search_path`` under which all statements run; the package's tables first."""
        return f"{self.operations_schema}, {self.associations_schema}, pg_temp"


@cache
def get_settings() -> Settings:
    """Return the deployment's settings, read once per process.

    :raises SettingsError: naming each setting that is wrong, what is wrong, and how it is set.
    """
    given = {name: option(SECTION, name) for name in Settings.model_fields.keys() | option_names(SECTION)}
    try:
        return Settings.model_validate({name: value.strip() for name, value in given.items() if value is not None})
    except ValidationError as error:
        raise SettingsError(
            f"Settings of section [{SECTION}] are wrong: {in_sentences(error, Settings, kind='setting')}. "
            f"Set them as AIRFLOW__{SECTION.upper()}__<NAME> or in airflow.cfg."
        ) from None
