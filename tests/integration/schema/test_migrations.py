"""Migrations carry over what is there: each forward from the version before it, with data in place."""

import itertools

import pytest
from alembic import command
from psycopg import errors
from sqlalchemy import create_engine, make_url

from hoa_ops.database import OwnersDatabase
from hoa_ops.schema.check_tables import differences
from hoa_ops.schema.migrations import _config, migrate
from hoa_ops.schema.roles import grant_worker
from hoa_ops.settings import get_settings
from tests.support.association import AssociationsDatabase
from tests.support.database import OWNER, PASSWORD, WORKER

_numbers = itertools.count(1)


@pytest.fixture
def at_version(postgres):
    """Make a database whose tables are those of an earlier version."""
    opened = []

    def make(version):
        name = f"at_version_{version}_{next(_numbers)}"
        postgres.create_database(name, owner=OWNER)
        dsn = postgres.dsn(name, OWNER, PASSWORD)
        engine = create_engine(make_url(dsn).set(drivername="postgresql+psycopg"))
        with engine.connect() as connection:
            connection.exec_driver_sql("CREATE SCHEMA hoa; CREATE SCHEMA hoa_ops")
            connection.commit()
            config = _config()
            config.attributes |= {"connection": connection, "operations_schema": get_settings().operations_schema}
            command.upgrade(config, version)
            connection.commit()
        engine.dispose()
        database = AssociationsDatabase(dsn, postgres.dsn(name, WORKER, PASSWORD))
        opened.append(database.__enter__())
        return database

    yield make
    for database in opened:
        database.__exit__(None, None, None)


def outbox_row(association, owner, **values):
    return association.insert(
        "outbox",
        **{
            "kind": "late_fee",
            "reference_id": owner["id"],
            "recipient_id": owner["id"],
            "sender_name": "Maple",
            "recipient_name": "Ann Owner",
            "subject": "Late Fee",
            "text_body": "",
            "html_body": "",
        }
        | values,
    )


def test_letters_keep_everything_but_their_name(at_version):
    database = at_version("0002")
    maple = database.association()
    for channel in ("post", "email", "none"):
        maple.insert("notification_preferences", owner_id=maple.owner()["id"], channel=channel)
    letter = outbox_row(maple, maple.owner(), channel="post", state="sent", recipient_address="1 Main Street")
    outbox_row(maple, maple.owner(), channel="post")
    outbox_row(maple, maple.owner(), channel="email", recipient_address="ann@example.com")
    for action in ("posted", "requeue"):
        database.insert(
            "outbox_actions", message_id=letter["id"], action=action, from_state="failed", acted_by="Pat", reason="why"
        )
    before = database.snapshot()

    migrate(database.owner_dsn)
    grant_worker(database.owner_dsn, WORKER)

    after = database.snapshot()
    assert {name: after[name] for name in before if name in after} == {
        name: before[name] for name in before if name in after
    }
    assert [row["channel"] for row in database.rows("SELECT channel FROM notification_preferences ORDER BY 1")] == [
        "email",
        "letter",
        "none",
    ]
    assert [row["channel"] for row in database.rows("SELECT channel FROM outbox ORDER BY 1")] == [
        "email",
        "letter",
        "letter",
    ]
    assert [row["action"] for row in database.rows("SELECT action FROM outbox_actions ORDER BY 1")] == [
        "mailed",
        "requeue",
    ]
    after = {row["id"]: row for row in database.rows("SELECT * FROM outbox")}
    assert after[letter["id"]] == letter | {"channel": "letter"}


@pytest.fixture
def with_a_view(at_version):
    """An adopted database at version 2 whose preferences are an application's, which calls a letter "post"."""
    database = at_version("0002")
    database.run("CREATE SCHEMA application")
    database.run("ALTER TABLE hoa.notification_preferences SET SCHEMA application")
    database.run("CREATE VIEW hoa.notification_preferences AS SELECT * FROM application.notification_preferences")
    maple = database.association()
    maple.insert("notification_preferences", owner_id=maple.owner()["id"], channel="post")
    return database


def test_a_view_of_an_application_keeps_its_words_and_its_owners_still_get_letters(with_a_view):
    view = "SELECT pg_get_viewdef('hoa.notification_preferences'::regclass)"
    before = with_a_view.value(view)
    migrate(with_a_view.owner_dsn)
    assert with_a_view.value(view) == before
    assert with_a_view.value("SELECT channel FROM notification_preferences") == "post"
    assert (
        with_a_view.value(
            "SELECT delivery_channel(channel, 'ann@example.com', must_be_served => false) FROM notification_preferences"
        )
        == "letter"
    )


def test_dropped_view_is_replaced_by_the_table_of_this_version(with_a_view):
    migrate(with_a_view.owner_dsn)
    with_a_view.run("DROP VIEW hoa.notification_preferences")
    migrate(with_a_view.owner_dsn, adopt=True)
    maple = with_a_view.association("other")
    maple.insert("notification_preferences", owner_id=maple.owner()["id"], channel="letter")
    with pytest.raises(errors.CheckViolation):
        maple.insert("notification_preferences", owner_id=maple.owner()["id"], channel="post")


def test_check_tables_names_the_rows_of_a_view_that_use_the_old_word(with_a_view):
    migrate(with_a_view.owner_dsn)
    grant_worker(with_a_view.owner_dsn, WORKER)
    with OwnersDatabase(with_a_view.owner_dsn) as database, database.transaction() as cursor:
        [found] = differences(cursor, WORKER)
    assert found.startswith("1 row(s) of hoa.notification_preferences break the rule (channel = ANY")
