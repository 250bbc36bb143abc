"""Every setting has a default that works, and a wrong one is named together with how to set it."""

import subprocess
import sys
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


NUMBERS = {
    name: text
    for text, names in {
        "write a whole number from 1 to 3600": ["lock_timeout_seconds"],
        "write a whole number from 1 to 36500": ["live_run_days", "retention_days"],
        "write a whole number from 1 to 64": ["shards"],
        "write a whole number from 1 to 100000": ["mail_per_minute"],
        "write a whole number from 1 to 1000": ["mail_batch_size", "mail_max_attempts"],
        "write a whole number from 1 to 1440": ["mail_claim_minutes"],
        "write a whole number from 1 to 8760": ["mail_waiting_hours"],
        "write a whole number from 0 to 525600": ["health_grace_minutes"],
        "write a whole number from 0 to 100": ["task_retries"],
        "write a whole number from 1 to 86400": ["task_retry_seconds"],
        "write a number above 0, up to 525600": [
            "deadline_minutes_monthly_billing",
            "deadline_minutes_violation_escalation",
            "deadline_minutes_budget_variance",
        ],
    }.items()
    for name in names
}
NO_NUMBER = [
    "",
    "   ",
    "many",
    "-1",
    "1e99",
    "9" * 400,
    "nan",
    "inf",
    "5 minutes",
    "1; DROP TABLE runs",
    "0x10",
    "½",
    "--",
    "5\n6",
]
SCHEMA = "write the name of a schema: at most 63 lowercase letters, digits and underscores"
CONNECTION = "write the id of an Airflow Connection"
ADDRESSES = "write e-mail addresses, separated by commas, such as operations@example.com"
WRONG = [
    *((name, wrong, fault) for name, fault in NUMBERS.items() for wrong in NO_NUMBER),
    ("mail_per_minute", "0", NUMBERS["mail_per_minute"]),
    ("shards", "65", NUMBERS["shards"]),
    ("shards", "1.5", NUMBERS["shards"]),
    ("deadline_minutes_budget_variance", "0", NUMBERS["deadline_minutes_budget_variance"]),
    *(("timezone", wrong, "write the IANA name of a time zone, such as America/New_York")
      for wrong in ("New York", "EST5", "../../etc/passwd", "america/new_york", "UTC+5", "東京")),
    *(("include_dir", wrong, "there is no sql/ folder in it: write the folder where include/ was deployed")
      for wrong in ("/nowhere", "", "/etc/passwd", "$HOME", "x" * 5000)),
    *((name, wrong, SCHEMA) for name in ("associations_schema", "operations_schema")
      for wrong in ('hoa"; DROP SCHEMA hoa', "", "Hoa", "h" * 64, "pg_hoa", "information_schema", "1hoa", "a,b")),
    *((name, wrong, CONNECTION) for name in ("database_conn_id", "smtp_conn_id") for wrong in ("", "my db", "x" * 251)),
    *((name, wrong, CONNECTION) for name in ("alert_slack_conn_id", "alert_smtp_conn_id", "alert_apprise_conn_id")
      for wrong in ("two words", "a,b", "x" * 251)),
    *(("alert_email", wrong, ADDRESSES) for wrong in
      ("nobody", "ops@example.com, nobody", "a@b c@d", "a@b\nBcc: thief@example.com", "Ops <o@a.example>", "a@@b")),
    *(("runbook_url", wrong, "write a URL that begins with https:// or http://")
      for wrong in ("docs/runbook.md", "javascript:alert(1)", "https://a b", "https://a/<script>", "file:///etc/passwd")),
    *(("deadlines", wrong, "write true or false") for wrong in ("perhaps", "", "2", "truefalse")),
]  # fmt: skip


@pytest.mark.parametrize(("name", "wrong", "fault"), WRONG, ids=lambda text: str(text)[:30])
def test_error_names_the_wrong_setting_its_value_and_what_to_write(
    read: Read, name: str, wrong: str, fault: str
) -> None:
    with pytest.raises(SettingsError) as raised:
        read(**{name: wrong})
    message = str(raised.value)
    assert message.startswith(f"Settings of section [hoa_ops] are wrong: {name}: {fault}")
    quoted = wrong.strip() if name not in {"alert_email", "include_dir"} else ""
    assert f"(got {repr(quoted)[:100].rstrip(chr(39)) if quoted else ''}" in message
    assert message.endswith("Set them as AIRFLOW__HOA_OPS__<NAME> or in airflow.cfg.")
    assert "\n" not in message
    assert len(message) < 500


def test_every_setting_has_a_wrong_value_above() -> None:
    assert {name for name, _, _ in WRONG} == set(Settings.model_fields)


@pytest.mark.parametrize("name", ["shard", "ALERT_EMAILS", "alert_email_cmd", "x" * 50])
def test_misspelled_setting_is_refused_and_not_ignored(read: Read, name: str) -> None:
    with pytest.raises(SettingsError, match=f"there is no setting {name.lower()}: correct the name or remove it"):
        read(**{name: "1"})


def test_misspelled_setting_in_airflow_s_own_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "airflow.cfg").write_text("[hoa_ops]\nshards = 2\nshard = 3\n")
    environment = {
        "AIRFLOW_HOME": str(tmp_path),
        "PYTHONPATH": str(INCLUDE.parent / "plugins"),
        "PATH": "/usr/bin:/bin",
    }
    code = "from hoa_ops.settings import get_settings; get_settings()"
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert "there is no setting shard: correct the name or remove it" in done.stderr


@pytest.mark.parametrize(
    "secret", ["https://hooks.slack.com/services/T0/B0/canary", '{"conn_type": "smtp", "password": "canary"}']
)
def test_connection_in_place_of_its_id_is_refused_and_not_repeated(read: Read, secret: str) -> None:
    with pytest.raises(
        SettingsError, match="write the id of an Airflow Connection, not the Connection itself"
    ) as raised:
        read(alert_slack_conn_id=secret)
    assert "canary" not in str(raised.value)


def test_two_kinds_of_tables_need_two_schemas(read: Read) -> None:
    with pytest.raises(SettingsError, match="associations_schema and operations_schema are both 'books': name two"):
        read(associations_schema="books", operations_schema="books")


def test_spaces_around_a_value_do_not_matter(read: Read) -> None:
    settings = read(
        shards=" 4 ", timezone=" Asia/Tokyo\n", alert_email=" a@example.com , b@example.com, ", deadlines=" FALSE "
    )
    assert (settings.shards, settings.timezone, settings.deadlines) == (4, "Asia/Tokyo", False)
    assert settings.alert_email == ("a@example.com", "b@example.com")


def test_all_wrong_settings_are_named_at_once(read: Read) -> None:
    with pytest.raises(SettingsError) as raised:
        read(shards=0, mail_per_minute=0, timezone="Nowhere")
    assert all(name in str(raised.value) for name in ("shards", "mail_per_minute", "timezone"))
