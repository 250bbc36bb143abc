"""Every setting has a default that works, and a wrong one is named together with how to set it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from hoa_ops.errors import SettingsError
from hoa_ops.settings import Settings, get_settings

INCLUDE = Path(__file__).resolve().parents[2] / "include"
Read = Callable[..., Settings]


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Iterator[Read]:
    """Read the settings anew from these environment variables."""

    def read_settings(**given: object) -> Settings:
        for name, value in given.items():
            monkeypatch.setenv(f"AIRFLOW__HOA_OPS__{name.upper()}", str(value))
        get_settings.cache_clear()
        return get_settings()

    yield read_settings
    monkeypatch.undo()
    get_settings.cache_clear()


def test_defaults_need_nothing_to_be_set(read: Read) -> None:
    settings = read()
    assert (settings.database_conn_id, settings.smtp_conn_id) == ("hoa_ops_db", "hoa_ops_smtp")
    assert settings.search_path == "hoa_ops, hoa, pg_temp"
    assert settings.include_dir == INCLUDE
    assert (settings.sql_dir, settings.templates_dir) == (INCLUDE / "sql", INCLUDE / "templates")
    assert settings.shards == 1
    assert (settings.mail_per_minute, settings.mail_max_attempts) == (600, 8)


def test_time_zone_defaults_to_airflow_s(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    assert read().zone == ZoneInfo("America/New_York")  # as tests/conftest.py configures Airflow
    monkeypatch.setenv("AIRFLOW__CORE__DEFAULT_TIMEZONE", "Europe/Madrid")
    assert read().zone == ZoneInfo("Europe/Madrid")
    assert read(timezone="Asia/Tokyo").zone == ZoneInfo("Asia/Tokyo")
    assert read(timezone="utc").timezone == "UTC"


def test_every_setting_says_what_it_is_for() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


@pytest.mark.parametrize(
    ("name", "wrong", "fault"),
    [
        ("timezone", "New York", "'New York' is not an IANA time zone name; use one such as America/New_York"),
        ("include_dir", "/nowhere", "/nowhere has no sql/ folder; set this to the folder where include/ was deployed"),
        ("associations_schema", 'hoa"; DROP SCHEMA hoa', "should match pattern"),
        ("associations_schema", "", "should match pattern"),
        ("operations_schema", "Hoa", "should match pattern"),
        ("operations_schema", "h" * 64, "at most 63 characters"),
        ("shards", 0, "greater than or equal to 1"),
        ("shards", 65, "less than or equal to 64"),
        ("shards", "many", "valid integer"),
        ("mail_per_minute", 0, "greater than or equal to 1"),
        ("mail_per_minute", "", "valid integer"),
        ("mail_batch_size", 0, "greater than or equal to 1"),
        ("mail_batch_size", 1001, "less than or equal to 1000"),
        ("mail_max_attempts", 0, "greater than or equal to 1"),
        ("mail_claim_minutes", 0, "greater than or equal to 1"),
        ("mail_waiting_hours", 0, "greater than or equal to 1"),
        ("health_grace_minutes", -1, "greater than or equal to 0"),
        ("task_retries", -1, "greater than or equal to 0"),
        ("task_retry_seconds", 0, "greater than or equal to 1"),
        ("alert_email", "ops@example.com, nobody", "should match pattern"),
        ("deadlines", "perhaps", "valid boolean"),
        ("deadline_minutes_monthly_billing", 0, "greater than 0"),
        ("deadline_minutes_violation_escalation", "soon", "valid number"),
        ("deadline_minutes_budget_variance", -5, "greater than 0"),
    ],
)
def test_error_names_the_wrong_setting_and_how_to_set_it(read: Read, name: str, wrong: object, fault: str) -> None:
    with pytest.raises(SettingsError) as raised:
        read(**{name: wrong})
    message = str(raised.value)
    assert message.startswith(f"Settings of section [hoa_ops] are wrong: {name}: ")
    assert fault in message
    assert message.endswith("Set them as AIRFLOW__HOA_OPS__<NAME> or in airflow.cfg.")


def test_all_wrong_settings_are_named_at_once(read: Read) -> None:
    with pytest.raises(SettingsError) as raised:
        read(shards=0, mail_per_minute=0, timezone="Nowhere")
    assert all(name in str(raised.value) for name in ("shards", "mail_per_minute", "timezone"))
