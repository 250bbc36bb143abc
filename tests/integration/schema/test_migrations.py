"""Migrations carry over what is there: each forward from the version before it, with data in place."""

import itertools
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import psycopg
import pytest
from alembic import command
from alembic.script import ScriptDirectory
from psycopg import errors

from hoa_ops.cli.main import main
from hoa_ops.database import SchemaOwnerDatabase
from hoa_ops.schema.check_tables import differences
from hoa_ops.schema.migrations import _config, _connect, migrate
from hoa_ops.schema.roles import grant_worker
from hoa_ops.schema.scripts import versions
from tests.support.association import AssociationsDatabase
from tests.support.books import deviations_of_all
from tests.support.catalog import definitions
from tests.support.database import OWNER, PASSWORD, WORKER, go_live

_numbers = itertools.count(1)


RELEASED_0002 = Path(__file__).parent / "released_0002"
"""The scripts of version 0002 as they were released, when they held functions, triggers and views as well."""


@pytest.fixture
def at_version(postgres):
    """Make a database whose tables are those of an earlier version, the oldest being 0002, as it was released."""
    opened = []

    def make(version):
        name = f"at_version_{version}_{next(_numbers)}"
        postgres.create_database(name, owner=OWNER)
        dsn = postgres.dsn(name, OWNER, PASSWORD)
        with psycopg.connect(dsn) as connection:
            connection.execute("CREATE SCHEMA hoa; CREATE SCHEMA hoa_ops")
            connection.execute("SET LOCAL search_path = hoa, pg_temp")
            connection.execute((RELEASED_0002 / "associations.sql").read_bytes())
            connection.execute("SET LOCAL search_path = hoa_ops, hoa, pg_temp")
            connection.execute((RELEASED_0002 / "operations.sql").read_bytes())
            connection.execute("CREATE TABLE alembic_version (version_num varchar(32) NOT NULL)")
            connection.execute(
                "ALTER TABLE alembic_version ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)"
            )
            connection.execute("INSERT INTO alembic_version VALUES ('0002')")
        with _connect(dsn) as connection:
            command.upgrade(_config(connection), version)
        database = AssociationsDatabase(dsn, postgres.dsn(name, WORKER, PASSWORD))
        opened.append(database.__enter__())
        # Tables get columns while the connection lasts, which no prepared statement bears.
        database.connection.prepare_threshold = None
        return database

    yield make
    for database in opened:
        database.__exit__(None, None, None)


@pytest.fixture
def fresh(postgres):
    """The definitions of a database that was never at an earlier version."""
    name = f"fresh_{next(_numbers)}"
    postgres.create_database(name, owner=OWNER)
    migrate(postgres.dsn(name, OWNER, PASSWORD))
    return definitions(postgres.dsn(name, OWNER, PASSWORD))


def old_invoice(association, unit, owner, amount, *, on, kind="assessment", **values):
    """Post an invoice as it was before its lines had charge kinds."""
    posted = association.insert(
        "invoices",
        **{"number": f"INV-{next(_numbers)}", "kind": kind, "unit_id": unit["id"], "owner_id": owner["id"],
           "invoice_date": on, "due_date": on, "period": on.replace(day=1) if kind == "assessment" else None,
           "amount": amount, "journal_entry_id": association.journal(on, "1200", "4100", amount)} | values,
    )  # fmt: skip
    association.insert(
        "invoice_lines", invoice_id=posted["id"], line_number=1, account_id=association.account_id("4100"),
        description=kind, amount=amount,
    )  # fmt: skip
    return posted


def old_unit(association, owner, unit_number="101", *, assessment="250.00", status="occupied"):
    """Create a unit as it was before it had recurring charges and dated statuses."""
    unit = association.insert("units", unit_number=unit_number, monthly_assessment=assessment, status=status)
    association.ownership(unit, owner)
    return unit


def test_version_numbers_are_those_of_alembic():
    scripts = ScriptDirectory.from_config(_config(None))
    assert versions() == sorted(script.revision for script in scripts.walk_revisions())
    assert versions()[-1] == scripts.get_current_head()


def test_database_of_an_earlier_release_comes_out_as_a_fresh_one(at_version, fresh):
    database = at_version("0002")
    before = definitions(database.owner_dsn)
    migrate(database.owner_dsn)
    assert before != fresh
    assert definitions(database.owner_dsn) == fresh
    with SchemaOwnerDatabase(database.owner_dsn) as connected, connected.transaction() as cursor:
        grant_worker(database.owner_dsn, WORKER)
        assert differences(cursor, WORKER) == []


def test_database_of_an_earlier_release_goes_on_with_its_rows(at_version, jobs, monkeypatch):
    database = at_version("0002")
    monkeypatch.setenv("AIRFLOW_CONN_HOA_OPS_DB", database.worker_dsn)
    maple = database.association()
    owner = maple.owner()
    unit = old_unit(maple, owner)
    october = old_invoice(maple, unit, owner, "250.00", on=date(2025, 10, 1))
    maple.apply(maple.payment(owner, "300.00", on=date(2025, 10, 5)), october, "250.00", on=date(2025, 10, 5))
    before = database.snapshot()

    migrate(database.owner_dsn)
    grant_worker(database.owner_dsn, WORKER)

    assert before.items() <= ({"installation": 1} | database.snapshot()).items()
    assert database.value("SELECT unapplied FROM owner_credits") == 50
    assert deviations_of_all(database) == []
    with pytest.raises(errors.RestrictViolation, match="append-only"):
        database.run("DELETE FROM journal_entry_lines")
    go_live(database.connection)
    posted = jobs.run("hoa_monthly_billing", "generate_invoices", on=date(2025, 11, 1), job="generate_invoices")
    assert (posted.returned["posted"], posted.returned["credit_applied"]) == (1, "50.00")
    assert deviations_of_all(database) == []


def test_migrating_puts_right_whatever_was_changed_in_functions_triggers_and_views(at_version, fresh):
    database = at_version("0002")
    migrate(database.owner_dsn)
    database.run("ALTER TABLE journal_entry_lines DISABLE TRIGGER balance")
    database.run("DROP TRIGGER append_only ON journal_entries")
    database.run("CREATE OR REPLACE FUNCTION hoa_ops.refuse(reason text) RETURNS boolean LANGUAGE sql AS 'SELECT true'")
    database.run(
        "CREATE OR REPLACE VIEW hoa.owner_credits AS "
        "SELECT tenant_id, owner_id, id AS payment_id, received_on, 0::numeric AS unapplied FROM payments"
    )
    assert definitions(database.owner_dsn) != fresh
    migrate(database.owner_dsn)
    assert definitions(database.owner_dsn) == fresh


def test_two_who_migrate_at_once_come_out_as_one(postgres, fresh):
    name = f"at_once_{next(_numbers)}"
    postgres.create_database(name, owner=OWNER)
    dsn = postgres.dsn(name, OWNER, PASSWORD)
    with ThreadPoolExecutor(4) as threads:
        for done in [threads.submit(migrate, dsn) for _ in range(4)]:
            done.result()
    assert definitions(dsn) == fresh


@pytest.mark.parametrize(
    ("dsn", "said"),
    [
        ("postgresql://nobody:x@127.0.0.1:1/x", "cannot connect to the database as the schema owner: "),
        ("no dsn", "the URL of the database cannot be read"),
    ],
)
def test_database_that_cannot_be_reached_is_named(capsys, dsn, said):
    assert main(["migrate", "--dsn", dsn]) == 1
    printed = capsys.readouterr().err
    assert printed.startswith(said)
    assert "Traceback" not in printed


def test_role_that_may_not_migrate_is_told_so(at_version, capsys):
    database = at_version("0002")
    assert main(["migrate", "--dsn", database.worker_dsn]) == 1
    assert (
        "the migration stopped, and left nothing of the step that failed: permission denied" in capsys.readouterr().err
    )


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
    with SchemaOwnerDatabase(with_a_view.owner_dsn) as database, database.transaction() as cursor:
        [found] = differences(cursor, WORKER)
    assert found.startswith("1 row(s) in hoa.notification_preferences violate the rule (channel = ANY")


def test_journal_keeps_its_entries_and_takes_closing_ones(at_version):
    database = at_version("0004")
    maple = database.association()
    closing = {"debit": "4100", "credit": "1000", "amount": "5.00", "source": "closing"}
    entry = maple.journal(date(2025, 12, 31), "1000", "4100", "5.00")
    with pytest.raises(errors.CheckViolation, match="journal_entries_source_check"):
        maple.journal(date(2025, 12, 31), **closing)
    migrate(database.owner_dsn)
    maple.journal(date(2025, 12, 31), **closing)
    assert database.rows("SELECT id, source FROM journal_entries ORDER BY id")[0] == {"id": entry, "source": "manual"}
    assert [row["source"] for row in database.rows("SELECT source FROM journal_entries ORDER BY id")] == [
        "manual",
        "closing",
    ]
    with pytest.raises(errors.CheckViolation, match="journal_entries_source_check"):
        maple.journal(date(2025, 12, 31), "1000", "4100", "5.00", source="anything")


def test_ledger_calls_skipped_rows_skipped(at_version):
    database = at_version("0003")
    counts = '{"posted": 1, "left_alone": 2, "exceptions": 0}'
    run = database.insert(
        "runs", job="send_reminders", dag_run_id="r", as_of="2025-10-27", run_date="2025-10-27", options="{}",
        narrowed=False, status="completed", counts=counts,
    )  # fmt: skip
    items = '[{"item_id": "1", "action": "post"}, {"item_id": "2", "action": "leave", "reason": "paid"}]'
    tenant_id = database.association().tenant_id
    database.insert("run_tenants", run_id=run["id"], tenant_id=tenant_id, status="posted", counts=counts, items=items)
    migrate(database.owner_dsn)
    after = {"posted": 1, "skipped": 2, "exceptions": 0}
    assert database.value("SELECT counts FROM runs") == after
    assert database.value("SELECT counts FROM run_tenants") == after
    assert [item["action"] for item in database.value("SELECT items FROM run_tenants")] == ["post", "skip"]


def test_associations_post_to_the_usual_accounts_until_they_name_others(at_version, jobs, monkeypatch):
    database = at_version("0005")
    monkeypatch.setenv("AIRFLOW_CONN_HOA_OPS_DB", database.worker_dsn)
    maple = database.association()
    owner = maple.owner()
    old_invoice(maple, old_unit(maple, owner), owner, "250.00", on=date(2025, 10, 1))
    migrate(database.owner_dsn)
    grant_worker(database.owner_dsn, WORKER)
    go_live(database.connection)
    jobs.billing("generate_invoices", on=date(2025, 11, 1))
    balances = "SELECT sum(debit - credit) FROM journal_entry_lines WHERE account_id = %s"
    assert database.value(balances, maple.account_id("1200")) == 500
    assert deviations_of_all(database) == []


def test_lines_of_invoices_get_the_charge_kind_of_their_invoice(at_version):
    database = at_version("0006")
    maple = database.association()
    owner = maple.owner()
    unit = old_unit(maple, owner)
    overdue = old_invoice(maple, unit, owner, "250.00", on=date(2025, 10, 1))
    fee = {"kind": "late_fee", "late_fee_of_invoice_id": overdue["id"]}
    old_invoice(maple, unit, owner, "25.00", on=date(2025, 10, 6), **fee)
    old_invoice(maple, unit, owner, "5.00", on=date(2025, 10, 7), kind="other")
    before = database.rows("SELECT * FROM invoice_lines ORDER BY amount")
    migrate(database.owner_dsn)
    kinds = ["other", "late_fee", "assessment"]
    assert database.rows("SELECT * FROM invoice_lines ORDER BY amount") == [
        line | {"charge_kind": kind} for line, kind in zip(before, kinds, strict=True)
    ]
    assert database.rows("SELECT * FROM application_orders") == []


def bill(jobs, database, on=date(2025, 11, 1)):
    grant_worker(database.owner_dsn, WORKER)
    go_live(database.connection)
    jobs.billing("generate_invoices", on=on)
    lines = database.rows(
        """
        SELECT invoices.number, lines.amount, lines.description, accounts.number AS account
          FROM invoices JOIN invoice_lines AS lines ON lines.invoice_id = invoices.id
          JOIN accounts ON accounts.id = lines.account_id WHERE run_id IS NOT NULL ORDER BY invoices.number
        """
    )
    return [(row["number"], str(row["amount"]), row["description"], row["account"]) for row in lines]


OLD_UNITS = [
    ("101", "250.00", "occupied"),
    ("102", "275.25", "rented"),
    ("103", "250.00", "vacant"),
    ("104", "0.00", "occupied"),
    ("105", "99.99", "exempt"),
    ("106", "-5.00", "occupied"),
]
BILLED_AFTERWARDS = [
    ("INV-00001", "250.00", "Assessment November 2025, Unit 101", "4100"),
    ("INV-00002", "275.25", "Assessment November 2025, Unit 102", "4100"),
]
REASONS_AFTERWARDS = [
    "the unit is vacant",
    "its assessment is zero",
    "the unit is exempt",
    "its assessment is negative: -5.00",
]


@pytest.fixture
def maple_with_old_units(at_version, monkeypatch):
    """An association of a release that kept assessment and status on the unit."""
    database = at_version("0007")
    monkeypatch.setenv("AIRFLOW_CONN_HOA_OPS_DB", database.worker_dsn)
    maple = database.association()
    owner = maple.owner()
    for number, assessment, status in OLD_UNITS:
        old_unit(maple, owner, number, assessment=assessment, status=status)
    return maple


def test_units_are_billed_as_before_once_their_assessment_is_a_charge(maple_with_old_units, jobs):
    database = maple_with_old_units.database
    migrate(database.owner_dsn)
    assert bill(jobs, database) == BILLED_AFTERWARDS
    for reason in REASONS_AFTERWARDS:
        assert reason in jobs.last.text
    assert database.rows("SELECT * FROM units WHERE unit_number = '101'")[0].keys() == {
        "tenant_id", "id", "unit_number",
    }  # fmt: skip
    assert deviations_of_all(database) == []


def test_units_of_an_application_s_view_are_billed_as_before(maple_with_old_units, jobs):
    maple, database = maple_with_old_units, maple_with_old_units.database
    database.run("CREATE SCHEMA application")
    database.run("ALTER TABLE hoa.units SET SCHEMA application")
    database.run("CREATE VIEW hoa.units AS SELECT * FROM application.units")
    migrate(database.owner_dsn)
    assert bill(jobs, database) == BILLED_AFTERWARDS
    with SchemaOwnerDatabase(database.owner_dsn) as connected, connected.transaction() as cursor:
        assert differences(cursor, WORKER) == []
    # Once the application has views of its own, these are what counts.
    database.run("DROP VIEW hoa.recurring_charges")
    migrate(database.owner_dsn, adopt=True)
    maple.charge({"id": database.value("SELECT id FROM units WHERE unit_number = '101'")}, "300.00")
    assert [line[1] for line in bill(jobs, database, date(2025, 12, 1))[2:]] == ["300.00"]


def test_months_that_an_earlier_release_passed_over_stay_unbilled(at_version, jobs, monkeypatch):
    database = at_version("0007")
    monkeypatch.setenv("AIRFLOW_CONN_HOA_OPS_DB", database.worker_dsn)
    for code, start in (("maple-court", "2025-06-15"), ("elm-grove", None), ("oak-terrace", "2025-10-01")):
        association = database.association(code, billing_starts_on=start)
        old_unit(association, association.owner())
        for month, status in ((8, "failed"), (10, "posted")):
            run = database.insert(
                "runs", job="generate_invoices", dag_run_id=f"{code} {month}", as_of=date(2025, month, 1),
                run_date=date(2025, month, 1), options="{}", narrowed=False, status="completed",
            )  # fmt: skip
            error = "down" if status == "failed" else None
            association.insert("run_tenants", run_id=run["id"], status=status, error=error)
        association.insert("billed_periods", period=date(2025, 10, 1), run_id=run["id"])
    migrate(database.owner_dsn)
    bill(jobs, database)
    assert database.rows("SELECT DISTINCT period FROM invoices") == [{"period": date(2025, 11, 1)}]


@pytest.fixture
def with_applications(at_version):
    """A database at version 0006 in which payments are applied; gives the association and what apply() needs."""
    database = at_version("0006")
    maple = database.association()
    owner = maple.owner()
    unit = old_unit(maple, owner)
    invoices = [old_invoice(maple, unit, owner, "250.00", on=date(2025, month, 1)) for month in (9, 10)]
    payment = maple.payment(owner, "300.00", on=date(2025, 10, 5))
    maple.apply(payment, invoices[0], "250.00", on=date(2025, 10, 5))
    taken_back = maple.apply(payment, invoices[1], "20.00", on=date(2025, 10, 5))
    reversal = maple.journal(date(2025, 10, 6), "1200", "2200", "20.00", reverses=taken_back["journal_entry_id"])
    database.run("UPDATE payment_applications SET reversal_entry_id = %s WHERE id = %s", reversal, taken_back["id"])
    maple.apply(payment, invoices[1], "30.00", on=date(2025, 10, 7))
    return maple, invoices, payment


def test_what_is_applied_is_carried_over(with_applications):
    maple, invoices, payment = with_applications
    database = maple.database
    before = database.snapshot()
    migrate(database.owner_dsn)
    grant_worker(database.owner_dsn, WORKER)
    assert before.items() <= database.snapshot().items()
    assert database.value("SELECT applied FROM payments") == 280
    assert [database.value("SELECT applied FROM invoices WHERE id = %s", invoice["id"]) for invoice in invoices] == [
        250,
        30,
    ]
    with pytest.raises(errors.CheckViolation, match=r"cannot cover the 300\.01"):
        maple.apply(payment, invoices[1], "20.01", on=date(2025, 10, 8))
    maple.apply(payment, invoices[1], "20.00", on=date(2025, 10, 8))
    assert database.value("SELECT count(*) FROM owner_credits") == 0


def spoil(postgres, association, statement, *parameters):
    """Change rows with the triggers switched off."""
    dsn = postgres.dsn(association.database.value("SELECT current_database()"))
    with association.database.connect(dsn) as superuser:
        superuser.execute("SET session_replication_role = replica")
        superuser.execute(statement.encode(), parameters)


def test_data_with_more_applied_than_there_is_stop_the_migration_and_are_named(postgres, with_applications, capsys):
    maple, invoices, payment = with_applications
    database = maple.database
    spoil(postgres, maple, "UPDATE payment_applications SET amount = 260 WHERE invoice_id = %s", invoices[0]["id"])
    spoil(postgres, maple, "UPDATE payments SET amount = 270")
    spoil(postgres, maple, "UPDATE invoices SET status = 'void' WHERE id = %s", invoices[1]["id"])
    with _connect(database.owner_dsn) as connection:
        command.upgrade(_config(connection), "0008")
    before = definitions(database.owner_dsn)
    assert main(["migrate", "--dsn", database.owner_dsn]) == 1
    said = capsys.readouterr().err
    assert said.startswith(
        "the migration stopped, and left nothing of the step that failed: more is applied than there is; take "
        "applications back (post an entry that reverses the application's, and set its reversal_entry_id to that), "
        f"then migrate again: maple-court: invoice {invoices[0]['number']} of 250.00 has 260.00 applied to it; "
        f"maple-court: payment {payment['id']} of 270.00 has 290.00 applied; "
        f"maple-court: void invoice {invoices[1]['number']} of 250.00 has 30.00 applied to it"
    )
    assert definitions(database.owner_dsn) == before


def test_payments_applied_to_another_owner_s_invoice_are_carried_over_and_named(
    postgres, with_applications, monkeypatch
):
    maple, _, payment = with_applications
    database = maple.database
    monkeypatch.setenv("AIRFLOW_CONN_HOA_OPS_DB", database.worker_dsn)
    database.run("UPDATE payments SET owner_id = %s", maple.owner("Bob")["id"])
    migrate(database.owner_dsn)
    grant_worker(database.owner_dsn, WORKER)
    named = [deviation for deviation in deviations_of_all(database) if "another owner" in deviation]
    assert len(named) == 2
    [standing, _] = database.rows("SELECT * FROM payment_applications WHERE reversal_entry_id IS NULL ORDER BY amount")
    reversal = maple.journal(date(2025, 10, 6), "1200", "2200", "30.00", reverses=standing["journal_entry_id"])
    database.run("UPDATE payment_applications SET reversal_entry_id = %s WHERE id = %s", reversal, standing["id"])
    assert database.value("SELECT applied FROM payments WHERE id = %s", payment["id"]) == 250


def test_view_of_an_application_that_lacks_what_is_applied_stops_the_migration_and_is_named(at_version, capsys):
    database = at_version("0006")
    database.run("CREATE SCHEMA application")
    database.run("ALTER TABLE hoa.payments SET SCHEMA application")
    database.run("CREATE VIEW hoa.payments AS SELECT * FROM application.payments")
    assert main(["migrate", "--dsn", database.owner_dsn]) == 1
    assert (
        "the column applied is missing in the view(s) payments: add it at the end, with CREATE OR REPLACE VIEW"
        in capsys.readouterr().err
    )
