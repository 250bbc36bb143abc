"""What the database itself promises, whoever writes to it: on the newest PostgreSQL and on the oldest supported one."""

import itertools
import re
import threading
from datetime import date
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import errors

from devstack.postgres import EmbeddedPostgres
from hoa_ops.database import Database, DatabaseError
from hoa_ops.schema.migrations import migrate
from hoa_ops.schema.roles import grant_worker
from tests.support.association import AssociationsDatabase
from tests.support.database import OWNER, PASSWORD, WORKER, prepare

TODAY = date(2025, 10, 29)
TABLES_PAGE = Path(__file__).resolve().parents[3] / "docs/tables.md"
OLDEST = Path("/usr/lib/postgresql/15/bin")
NEVER_INSTALLED = f"PostgreSQL 15, the oldest supported, is not installed in {OLDEST}"


@pytest.fixture(
    scope="module",
    params=[
        "newest",
        pytest.param("oldest", marks=pytest.mark.skipif(not OLDEST.is_dir(), reason=NEVER_INSTALLED)),
    ],
)
def server(request, tmp_path_factory):
    if request.param == "newest":
        yield request.getfixturevalue("postgres")
        return
    data_dir = tmp_path_factory.mktemp("oldest") / "data"
    with EmbeddedPostgres(data_dir, durable=False, programs=OLDEST) as oldest:
        yield oldest


@pytest.fixture(scope="module")
def shared(server):
    """One database for the whole module: what it refuses leaves no trace, and every test has its own association."""
    prepare(server, "schema")
    with AssociationsDatabase(
        server.dsn("schema", OWNER, PASSWORD), server.dsn("schema", WORKER, PASSWORD)
    ) as associations:
        yield associations


_numbers = itertools.count(1)


@pytest.fixture
def database(shared, monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_HOA_OPS_DB", shared.worker_dsn)
    return shared


@pytest.fixture
def maple(database):
    return database.association(f"maple-{next(_numbers)}")


@pytest.fixture
def oaks(database):
    return database.association(f"oaks-{next(_numbers)}")


@pytest.fixture
def worker(database):
    with database.connect(database.worker_dsn) as connection:
        yield connection


def lines(association, *entries_and_amounts):
    """Insert lines by one statement, in the transaction that posts their entry: (entry, debit, credit) each."""
    rows = [
        (association.tenant_id, entry_id, number, association.account_id("1000"), debit, credit)
        for number, (entry_id, debit, credit) in enumerate(entries_and_amounts, start=1)
    ]
    association.database.run(
        "INSERT INTO journal_entry_lines (tenant_id, entry_id, line_number, account_id, debit, credit) VALUES "
        + ", ".join(["(%s, %s, %s, %s, %s, %s)"] * len(rows)),
        *itertools.chain.from_iterable(rows),
    )


def entry(association):
    return association.insert(
        "journal_entries", entry_number=f"E-{next(_numbers)}", entry_date=TODAY, description="By hand"
    )["id"]


# The servers. ---------------------------------------------------------------------------------------------------


def test_tests_run_on_the_server_version_they_claim(request, database):
    version = database.value("SHOW server_version_num")
    if "oldest" in request.node.name:
        assert version.startswith("15")
    else:
        assert int(version) >= 180000


def catalog(database):
    """Everything that is defined in the two schemas, by identity, and who may do what with it."""
    return database.rows(
        """
        SELECT 'relation' AS kind, oid, relname::text AS name, relacl::text AS rights FROM pg_class
         WHERE relnamespace IN ('hoa'::regnamespace, 'hoa_ops'::regnamespace)
         UNION ALL
        SELECT 'function', oid, proname::text, proacl::text FROM pg_proc
         WHERE pronamespace IN ('hoa'::regnamespace, 'hoa_ops'::regnamespace)
         UNION ALL
        SELECT 'constraint', oid, conname::text, NULL FROM pg_constraint
         WHERE connamespace IN ('hoa'::regnamespace, 'hoa_ops'::regnamespace)
         UNION ALL
        SELECT 'trigger', pg_trigger.oid, tgname::text, tgenabled::text FROM pg_trigger WHERE NOT tgisinternal
         ORDER BY 1, 2
        """
    )


def test_migrating_and_granting_again_changes_nothing(database):
    before = catalog(database)
    assert len(before) > 100
    migrate(database.owner_dsn)
    grant_worker(database.owner_dsn, WORKER)
    assert catalog(database) == before


def test_keys_are_uuids_of_version_7_in_the_order_of_time(database):
    keys = [row["key"] for row in database.rows("SELECT uuidv7() AS key FROM generate_series(1, 5000)")]
    assert len(set(keys)) == 5000
    assert {key.version for key in keys} == {7}
    assert {key.variant for key in keys} == {"specified in RFC 4122"}
    [moment] = database.rows(
        "SELECT uuidv7() AS key, (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS milliseconds"
    )
    assert abs((moment["key"].int >> 80) - moment["milliseconds"]) <= 100
    # In the same millisecond the order is the server's affair; a millisecond later it is settled.
    later = []
    for _ in range(20):
        later.append(database.value("SELECT uuidv7()"))
        database.run("SELECT pg_sleep(0.002)")
    assert later == sorted(later)


def test_uuidv7_is_supplied_only_where_the_server_has_none(request, database):
    schema = database.value("SELECT pronamespace::regnamespace::text FROM pg_proc WHERE proname = 'uuidv7' LIMIT 1")
    assert schema == ("hoa" if "oldest" in request.node.name else "pg_catalog")


def test_jobs_run_on_it_and_document_numbers_continue_past_99999(database, jobs, maple):
    unit, parking = maple.unit(owner=maple.owner()), maple.violation_type()
    for number in range(3):
        maple.violation(unit, parking, cure_deadline=date(2025, 10, 1), number=f"V-{number}")
    maple.insert("document_counters", kind="invoice", last_number=99998)
    dry = jobs.escalate(on=TODAY, tenant=maple.code, dry_run=True)
    assert jobs.escalate(on=TODAY, tenant=maple.code).returned == dry.returned
    assert dry.returned["posted"] == 3
    numbers = database.rows(
        "SELECT number FROM invoices WHERE tenant_id = %s ORDER BY length(number), number", maple.tenant_id
    )
    assert [row["number"] for row in numbers] == ["INV-99999", "INV-100000", "INV-100001"]
    assert database.value("SELECT next_document_number(%s, 'invoice')", maple.tenant_id) == "INV-100002"


@pytest.mark.parametrize(
    ("kind", "number", "written"),
    [("invoice", 1, "INV-00001"), ("invoice", 99999, "INV-99999"), ("invoice", 100000, "INV-100000"),
     ("journal_entry", 2**40, "JE-1099511627776")],
)  # fmt: skip
def test_document_number_has_at_least_five_digits(database, kind, number, written):
    assert database.value("SELECT document_number(%s, %s)", kind, number) == written


# The journal. ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "amounts",
    [[(10, 0)], [(10, 0), (0, 9.99)], [(10, 0), (5, 0), (0, 14.99)], [(0, 10), (0, 10)]],
    ids=str,
)
def test_unbalanced_entry_is_refused(maple, amounts):
    entry_id = entry(maple)
    with pytest.raises(errors.CheckViolation, match="does not balance"):
        lines(maple, *((entry_id, *amount) for amount in amounts))


def test_two_entries_that_balance_only_together_are_refused(maple):
    first, second = entry(maple), entry(maple)
    with pytest.raises(errors.CheckViolation, match="does not balance"):
        lines(maple, (first, 10, 0), (second, 0, 10))
    with maple.database.connection.transaction():
        first, second = entry(maple), entry(maple)
        lines(maple, (first, 10, 0), (first, 0, 10), (second, 7, 0), (second, 0, 7))


def test_lines_are_added_in_the_transaction_that_posts_the_entry_or_never(database, maple):
    with database.connection.transaction():
        with database.connection.transaction():
            entry_id = entry(maple)
        with database.connection.transaction():
            lines(maple, (entry_id, 10, 0), (entry_id, 0, 10))
    with pytest.raises(errors.RestrictViolation, match="nothing is added to it later"):
        database.run(
            "INSERT INTO journal_entry_lines (tenant_id, entry_id, line_number, account_id, debit, credit) "
            "SELECT tenant_id, entry_id, line_number + 2, account_id, debit, credit FROM journal_entry_lines "
            "WHERE entry_id = %s",
            entry_id,
        )


def test_lines_are_added_in_the_transaction_that_posts_the_invoice_or_never(database, maple):
    owner = maple.owner()
    invoice = maple.invoice(maple.unit(owner=owner), owner, "100.00", on=TODAY)
    with pytest.raises(errors.RestrictViolation, match=f"invoice {invoice['number']} is posted, and nothing is added"):
        maple.insert(
            "invoice_lines", invoice_id=invoice["id"], line_number=2, account_id=maple.account_id("4100"),
            description="", amount="100.00", charge_kind="fine",
        )  # fmt: skip


@pytest.mark.parametrize("amount", [(0, 0), (10, 10), (-10, 0), (0, -10)], ids=str)
def test_line_is_either_debit_or_credit_and_never_negative(maple, amount):
    entry_id = entry(maple)
    with pytest.raises(errors.CheckViolation, match="violates check constraint"):
        lines(maple, (entry_id, *amount), (entry_id, *amount))


@pytest.mark.parametrize("table", ["journal_entries", "journal_entry_lines"])
@pytest.mark.parametrize(
    "statement",
    ["UPDATE {} SET tenant_id = tenant_id", "DELETE FROM {}", "DELETE FROM {} WHERE false", "TRUNCATE {} CASCADE"],
)
def test_journal_is_append_only_even_for_its_owner(database, maple, table, statement):
    maple.journal(TODAY, "5100", "1000", "5.00")
    before = database.value(f"SELECT count(*) FROM {table}")
    with pytest.raises(errors.RestrictViolation, match="append-only"):
        database.run(statement.format(table))
    assert database.value(f"SELECT count(*) FROM {table}") == before > 0


def test_journal_is_not_deleted_with_its_association(database, maple):
    maple.journal(TODAY, "5100", "1000", "5.00")
    with pytest.raises(errors.RestrictViolation, match="append-only"):
        database.run("TRUNCATE tenants CASCADE")
    with pytest.raises(errors.ForeignKeyViolation):
        database.run("DELETE FROM tenants WHERE id = %s", maple.tenant_id)


def test_superuser_is_refused_as_well(server, database, maple):
    maple.journal(TODAY, "5100", "1000", "5.00")
    with (
        database.connect(server.dsn("schema")) as superuser,
        pytest.raises(errors.RestrictViolation, match="append-only"),
    ):
        superuser.execute("UPDATE journal_entry_lines SET debit = debit + 1 WHERE debit > 0")


def test_entry_is_reversed_once(maple):
    entry_id = maple.journal(TODAY, "5100", "1000", "5.00")
    maple.journal(TODAY, "1000", "5100", "5.00", reverses=entry_id)
    with pytest.raises(errors.UniqueViolation):
        maple.journal(TODAY, "1000", "5100", "5.00", reverses=entry_id)


# Associations apart. --------------------------------------------------------------------------------------------


def test_no_row_references_another_association_s_row(database, maple, oaks):
    owner = oaks.owner()
    unit = oaks.unit(owner=owner)
    kind, own_kind = oaks.violation_type(), maple.violation_type()
    violation = oaks.violation(unit, kind, cure_deadline=TODAY)
    invoice = oaks.invoice(unit, owner, "10.00", on=TODAY)
    payment = oaks.payment(owner, "10.00", on=TODAY)
    entry_id, account_id = oaks.journal(TODAY, "5100", "1000", "5.00"), oaks.account_id("1000")
    own_unit, own_owner = maple.unit("1"), maple.owner()
    own_entry = maple.journal(TODAY, "5100", "1000", "5.00")
    own_invoice = maple.invoice(own_unit, own_owner, "10.00", on=TODAY)
    own_payment = maple.payment(own_owner, "10.00", on=TODAY)
    bill = {"kind": "other", "invoice_date": TODAY, "due_date": TODAY, "amount": 1}
    person = {"unit_id": own_unit["id"], "owner_id": own_owner["id"]}
    application = {"amount": 1, "applied_on": TODAY, "journal_entry_id": own_entry}
    broken = {"violation_number": "X", "description": "", "reported_on": TODAY, "cure_deadline": TODAY}
    foreign = [
        ("ownerships", {"unit_id": unit["id"], "owner_id": own_owner["id"], "starts_on": TODAY}),
        ("ownerships", {"unit_id": own_unit["id"], "owner_id": owner["id"], "starts_on": TODAY}),
        ("invoices", bill | person | {"number": "1", "journal_entry_id": own_entry, "unit_id": unit["id"]}),
        ("invoices", bill | person | {"number": "1", "journal_entry_id": own_entry, "owner_id": owner["id"]}),
        ("invoices", bill | person | {"number": "1", "journal_entry_id": entry_id}),
        ("invoices", bill | person | {"kind": "late_fee", "number": "1", "journal_entry_id": own_entry,
                                      "late_fee_of_invoice_id": invoice["id"]}),
        ("invoice_lines", {"invoice_id": invoice["id"], "line_number": 9, "account_id": maple.account_id("4100"),
                           "description": "", "amount": 1, "charge_kind": "other"}),
        ("invoice_lines", {"invoice_id": own_invoice["id"], "line_number": 9, "account_id": oaks.account_id("4100"),
                           "description": "", "amount": 10, "charge_kind": "other"}),
        ("payments", {"owner_id": owner["id"], "received_on": TODAY, "amount": 1, "journal_entry_id": own_entry}),
        ("payment_applications", application | {"payment_id": payment["id"], "invoice_id": own_invoice["id"]}),
        ("payment_applications", application | {"payment_id": own_payment["id"], "invoice_id": invoice["id"]}),
        ("violations", broken | {"unit_id": unit["id"], "violation_type_id": own_kind["id"]}),
        ("violations", broken | {"unit_id": own_unit["id"], "violation_type_id": kind["id"]}),
        ("violation_escalations", {"violation_id": violation["id"], "step": 1, "step_name": "", "escalated_on": TODAY,
                                   "scheduled_fine": 1, "fine": 1}),
        ("budget_lines", {"budget_id": maple.budget()["id"], "account_id": account_id, "budgeted": 1}),
        ("budget_lines", {"budget_id": oaks.budget()["id"], "account_id": maple.account_id("5100"), "budgeted": 1}),
        ("journal_entries", {"entry_number": "R-1", "entry_date": TODAY, "description": "", "source": "reversal",
                             "reverses_entry_id": entry_id}),
        ("notification_preferences", {"owner_id": owner["id"], "channel": "letter"}),
    ]  # fmt: skip
    for table, values in foreign:
        with pytest.raises(errors.ForeignKeyViolation):
            maple.insert(table, **values)
    for entry_of, account_of in ((entry_id, maple.account_id("1000")), (own_entry, account_id)):
        with pytest.raises(errors.ForeignKeyViolation):
            database.run(
                "INSERT INTO journal_entry_lines (tenant_id, entry_id, line_number, account_id, debit, credit) "
                "VALUES (%(t)s, %(e)s, 8, %(a)s, 1, 0), (%(t)s, %(e)s, 9, %(a)s, 0, 1)"
                .replace("%(t)s", f"'{maple.tenant_id}'").replace("%(e)s", f"'{entry_of}'")
                .replace("%(a)s", f"'{account_of}'")
            )  # fmt: skip


# What may exist once only. --------------------------------------------------------------------------------------


def test_month_is_billed_once_per_unit_and_owner_unless_the_invoice_is_void(database, maple):
    owner = maple.owner()
    unit = maple.unit(owner=owner)
    maple.invoice(unit, owner, "10.00", on=date(2025, 10, 1))
    with pytest.raises(errors.UniqueViolation, match="invoices_assessment_once"):
        maple.invoice(unit, owner, "10.00", on=date(2025, 10, 15))
    maple.invoice(unit, owner, "10.00", on=date(2025, 11, 1))
    maple.invoice(unit, maple.owner("Co-owner"), "10.00", on=date(2025, 10, 1))
    database.run("UPDATE invoices SET status = 'void' WHERE tenant_id = %s", maple.tenant_id)
    maple.invoice(unit, owner, "10.00", on=date(2025, 10, 15))


@pytest.mark.parametrize("period", [None, date(2025, 10, 1)])
def test_late_fee_is_charged_once_per_invoice_or_once_per_invoice_and_month(maple, period):
    owner = maple.owner()
    unit = maple.unit(owner=owner)
    late = maple.invoice(unit, owner, "10.00", on=date(2025, 9, 1))
    fee = {"kind": "late_fee", "late_fee_of_invoice_id": late["id"]}
    maple.invoice(unit, owner, "1.00", on=TODAY, **fee, period=period)
    with pytest.raises(errors.UniqueViolation, match="invoices_late_fee_once"):
        maple.invoice(unit, owner, "2.00", on=TODAY, **fee, period=period)
    maple.invoice(unit, owner, "1.00", on=TODAY, **fee, period=date(2025, 11, 1))


def test_step_and_its_fine_exist_once(maple):
    owner = maple.owner()
    unit = maple.unit(owner=owner)
    violation = maple.violation(unit, maple.violation_type(), cure_deadline=TODAY)
    step = {"violation_id": violation["id"], "step": 1, "step_name": "First", "escalated_on": TODAY}
    escalation = maple.insert("violation_escalations", **step, scheduled_fine=50, fine=50)
    with pytest.raises(errors.UniqueViolation):
        maple.insert("violation_escalations", **step, scheduled_fine=50, fine=50)
    fine = {"kind": "fine", "period": None, "violation_escalation_id": escalation["id"]}
    maple.invoice(unit, owner, "50.00", on=TODAY, **fine)
    with pytest.raises(errors.UniqueViolation, match="invoices_fine_once"):
        maple.invoice(unit, owner, "50.00", on=TODAY, **fine)


def test_other_natural_keys(database, maple, oaks):
    owner = maple.owner()
    unit = maple.unit("7", owner=owner)
    number = maple.invoice(unit, owner, "1.00", on=TODAY)["number"]
    message = {
        "kind": "late_fee", "reference_id": uuid4(), "recipient_id": owner["id"], "channel": "letter",
        "sender_name": "", "recipient_name": "", "subject": "", "text_body": "", "html_body": "",
    }  # fmt: skip
    run = {"job": "x", "dag_run_id": f"r-{maple.code}", "as_of": TODAY, "run_date": TODAY, "options": "{}"}
    reminder = {"owner_id": owner["id"], "reminded_on": TODAY, "stage": 1, "stage_name": "", "total_due": 1}
    maple.fine_schedule()
    once = [
        (maple.insert, "units", {"unit_number": "8"}),
        (maple.insert, "accounts", {"number": "9999", "name": "", "type": "asset"}),
        (maple.insert, "journal_entries", {"entry_number": "E", "entry_date": TODAY, "description": ""}),
        (maple.insert, "fine_schedules", {"violation_type_id": None}),
        (maple.insert, "document_counters", {"kind": "invoice", "last_number": 1}),
        (maple.insert, "outbox", message),
        (maple.insert, "payment_reminders", reminder | {"days_overdue": 1, "invoice_count": 1}),
        (database.insert, "runs", run | {"narrowed": False}),
    ]
    database.run("DELETE FROM document_counters WHERE tenant_id = %s", maple.tenant_id)
    for insert, table, values in once:
        insert(table, **values)
        with pytest.raises(errors.UniqueViolation):
            insert(table, **values)
    with pytest.raises(errors.UniqueViolation):
        maple.invoice(unit, owner, "1.00", on=date(2025, 11, 1), number=number)
    # Another association has numbers of its own.
    assert oaks.invoice(oaks.unit("7", owner=(other := oaks.owner())), other, "1.00", on=TODAY)["number"] == number


# Payments. ------------------------------------------------------------------------------------------------------


@pytest.fixture
def open_items(maple):
    """An owner with two invoices of 100 and two payments of 100."""
    owner = maple.owner()
    unit = maple.unit(owner=owner)
    invoices = [maple.invoice(unit, owner, "100.00", on=date(2025, month, 1)) for month in (9, 10)]
    return invoices, [maple.payment(owner, "100.00", on=TODAY) for _ in range(2)]


def test_payment_cannot_be_applied_beyond_its_amount(maple, open_items):
    invoices, payments = open_items
    with pytest.raises(errors.CheckViolation, match=r"cannot cover the 100\.01"):
        maple.apply(payments[0], invoices[0], "100.01", on=TODAY)
    maple.apply(payments[0], invoices[0], "60.00", on=TODAY)
    with pytest.raises(errors.CheckViolation, match=r"cannot cover the 100\.01"):
        maple.apply(payments[0], invoices[1], "40.01", on=TODAY)
    maple.apply(payments[0], invoices[1], "40.00", on=TODAY)


def test_invoice_cannot_take_more_than_its_amount(maple, open_items):
    invoices, payments = open_items
    maple.apply(payments[0], invoices[0], "60.00", on=TODAY)
    with pytest.raises(
        errors.CheckViolation, match=f"invoice {invoices[0]['number']} of 100.00 cannot take the 100.01"
    ):
        maple.apply(payments[1], invoices[0], "40.01", on=TODAY)
    maple.apply(payments[1], invoices[0], "40.00", on=TODAY)


APPLY_SIXTY = (
    "INSERT INTO payment_applications (tenant_id, payment_id, invoice_id, amount, applied_on, journal_entry_id) "
    "VALUES (%s, %s, %s, 60, %s, %s)"
)


@pytest.fixture(params=["payment", "invoice"])
def contenders(request, maple, open_items):
    """Two applications for which one payment, or one invoice, is too small: what ``APPLY_SIXTY`` takes, twice."""
    invoices, payments = open_items
    second = (payments[0], invoices[1]) if request.param == "payment" else (payments[1], invoices[0])
    return [
        (maple.tenant_id, payment["id"], invoice["id"], TODAY, maple.journal(TODAY, "2200", "1200", "60.00"))
        for payment, invoice in ((payments[0], invoices[0]), second)
    ]


def test_concurrent_applications_cannot_exceed_the_payment(database, maple, contenders):
    first, second = contenders
    outcome: list[BaseException | None] = []

    def apply_second():
        with database.connect() as connection:
            try:
                connection.execute(APPLY_SIXTY, second)
                outcome.append(None)
            except psycopg.Error as error:
                outcome.append(error)

    with database.connect(autocommit=False) as connection:
        connection.execute(APPLY_SIXTY, first)
        thread = threading.Thread(target=apply_second)
        thread.start()
        # The second waits for the first to be decided; until then it must neither succeed nor fail.
        thread.join(0.3)
        assert thread.is_alive()
        assert outcome == []
        connection.commit()
    thread.join(10)
    assert isinstance(outcome[0], errors.CheckViolation)
    assert database.value(
        "SELECT sum(amount) FROM payment_applications WHERE tenant_id = %s", maple.tenant_id
    ) == 60  # fmt: skip


def test_invoice_lines_add_up_to_its_amount(database, maple):
    owner = maple.owner()
    invoice = maple.invoice(maple.unit(owner=owner), owner, "100.00", on=TODAY)
    with pytest.raises(errors.CheckViolation, match=r"add up to 99\.99"):
        maple.insert(
            "invoice_lines",
            invoice_id=invoice["id"],
            line_number=2,
            account_id=maple.account_id("4100"),
            description="",
            amount="99.99",
            charge_kind="assessment",
        )


ISOLATION_LEVELS = [
    psycopg.IsolationLevel.READ_COMMITTED,
    psycopg.IsolationLevel.REPEATABLE_READ,
    psycopg.IsolationLevel.SERIALIZABLE,
]


@pytest.mark.parametrize("isolation", ISOLATION_LEVELS, ids=lambda level: level.name)
def test_payment_is_not_spent_twice_at_any_isolation_level(database, maple, contenders, isolation):
    """The second has looked before the first applied the payment; it still believes that all of it is left."""
    first, second = contenders
    with database.connect(autocommit=False) as connection:
        connection.set_isolation_level(isolation)
        left = "SELECT sum(amount - applied) AS left FROM payments WHERE tenant_id = %s"
        assert connection.execute(left, [maple.tenant_id]).fetchone() == {"left": 200}
        database.run(APPLY_SIXTY, *first)
        with pytest.raises((errors.CheckViolation, errors.SerializationFailure)):
            connection.execute(APPLY_SIXTY, second)
    applied = "SELECT sum(applied) FROM {} WHERE tenant_id = %s"
    assert database.value(applied.format("payments"), maple.tenant_id) == 60
    assert database.value(applied.format("invoices"), maple.tenant_id) == 60


def test_two_applications_in_opposite_order_do_not_wait_for_each_other_in_a_circle(database, maple, open_items):
    """One statement of each applies both payments to both invoices; the rows are locked in one order."""
    invoices, payments = open_items
    pairs = list(itertools.product([payment["id"] for payment in payments], [invoice["id"] for invoice in invoices]))
    entry_id = maple.journal(TODAY, "2200", "1200", "5.00")
    failures = []

    def apply_all(in_order):
        with database.connect() as connection:
            for _ in range(10):
                try:
                    connection.execute(
                        "INSERT INTO payment_applications "
                        "(tenant_id, payment_id, invoice_id, amount, applied_on, journal_entry_id) "
                        "SELECT %s, payment_id, invoice_id, 1, %s, %s "
                        "FROM unnest(%s::uuid[], %s::uuid[]) AS pair (payment_id, invoice_id)",
                        (maple.tenant_id, TODAY, entry_id, *map(list, zip(*in_order, strict=True))),
                    )
                except psycopg.Error as error:
                    failures.append(error)

    threads = [threading.Thread(target=apply_all, args=(order,)) for order in (pairs, pairs[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    assert database.value("SELECT sum(applied) FROM invoices WHERE tenant_id = %s", maple.tenant_id) == 80


def take_back(association, application, *, on=TODAY):
    reversal = association.journal(on, "1200", "2200", application["amount"], reverses=application["journal_entry_id"])
    association.database.run(
        "UPDATE payment_applications SET reversal_entry_id = %s WHERE id = %s", reversal, application["id"]
    )


def test_application_that_is_taken_back_leaves_both_open_again(database, maple, open_items):
    invoices, payments = open_items
    application = maple.apply(payments[0], invoices[0], "60.00", on=TODAY)
    maple.apply(payments[0], invoices[1], "30.00", on=TODAY)
    take_back(maple, application)
    assert database.value("SELECT applied FROM payments WHERE id = %s", payments[0]["id"]) == 30
    assert database.value("SELECT applied FROM invoices WHERE id = %s", invoices[0]["id"]) == 0
    with pytest.raises(errors.RestrictViolation, match="never changed"):
        database.run("UPDATE payment_applications SET reversal_entry_id = NULL WHERE id = %s", application["id"])
    maple.apply(payments[0], invoices[0], "70.00", on=TODAY)


def test_one_statement_may_take_an_application_back_and_post_another(database, maple, open_items):
    invoices, payments = open_items
    application = maple.apply(payments[0], invoices[0], "60.00", on=TODAY)
    reversal = maple.journal(TODAY, "1200", "2200", "60.00", reverses=application["journal_entry_id"])
    database.run(
        """
        WITH taken_back AS (UPDATE payment_applications SET reversal_entry_id = %s WHERE id = %s RETURNING *)
        INSERT INTO payment_applications (tenant_id, payment_id, invoice_id, amount, applied_on, journal_entry_id)
        SELECT tenant_id, payment_id, %s, 100, applied_on, %s FROM taken_back
        """,
        reversal,
        application["id"],
        invoices[1]["id"],
        maple.journal(TODAY, "2200", "1200", "100.00"),
    )
    assert database.value("SELECT applied FROM payments WHERE id = %s", payments[0]["id"]) == 100
    assert [database.value("SELECT applied FROM invoices WHERE id = %s", invoice["id"]) for invoice in invoices] == [
        0,
        100,
    ]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE payment_applications SET amount = amount + 1",
        "UPDATE payment_applications SET applied_on = applied_on + 1",
        "UPDATE payment_applications SET payment_id = id",
        "UPDATE payment_applications SET invoice_id = id",
        "DELETE FROM payment_applications",
        "TRUNCATE payment_applications",
    ],
)
def test_application_stays_as_it_was_posted_even_for_the_schema_owner(database, maple, open_items, statement):
    maple.apply(open_items[1][0], open_items[0][0], "60.00", on=TODAY)
    with pytest.raises(errors.RestrictViolation, match="applications of payments are never changed"):
        database.run(statement)


@pytest.mark.parametrize("table", ["payments", "invoices"])
@pytest.mark.parametrize("applied", [0, 59, 61, 100])
def test_what_is_applied_follows_from_the_applications_alone(server, database, maple, open_items, table, applied):
    maple.apply(open_items[1][0], open_items[0][0], "60.00", on=TODAY)
    write = f"UPDATE {table} SET applied = %s WHERE tenant_id = %s AND applied > 0"
    for dsn in (database.owner_dsn, server.dsn("schema")):
        with (
            database.connect(dsn) as connection,
            pytest.raises(errors.RestrictViolation, match=f"which come to 60.00, and cannot be set to {applied}"),
        ):
            connection.execute(write, (applied, maple.tenant_id))
    assert database.value(f"SELECT sum(applied) FROM {table} WHERE tenant_id = %s", maple.tenant_id) == 60


def test_nothing_is_applied_of_a_new_payment_or_invoice(maple):
    owner = maple.owner()
    with pytest.raises(errors.RestrictViolation, match="applied of payments follows from payment_applications"):
        maple.insert(
            "payments", owner_id=owner["id"], received_on=TODAY, amount=10, applied=10,
            journal_entry_id=maple.journal(TODAY, "1000", "2200", "10.00"),
        )  # fmt: skip
    with pytest.raises(errors.RestrictViolation, match="applied of invoices follows from payment_applications"):
        maple.invoice(maple.unit(owner=owner), owner, "10.00", on=TODAY, applied=10)


def test_invoice_that_is_paid_cannot_be_void(database, maple, open_items):
    maple.apply(open_items[1][0], open_items[0][0], "60.00", on=TODAY)
    with pytest.raises(errors.CheckViolation):
        database.run("UPDATE invoices SET status = 'void' WHERE id = %s", open_items[0][0]["id"])


def test_nothing_is_applied_to_a_void_invoice_or_of_a_returned_payment(database, maple, open_items):
    invoices, payments = open_items
    database.run("UPDATE invoices SET status = 'void' WHERE id = %s", invoices[0]["id"])
    database.run("UPDATE payments SET status = 'returned' WHERE id = %s", payments[0]["id"])
    with pytest.raises(errors.CheckViolation, match=f"invoice {invoices[0]['number']} is void: nothing can be applied"):
        maple.apply(payments[1], invoices[0], "1.00", on=TODAY)
    with pytest.raises(errors.CheckViolation, match="the payment was returned: it cannot be applied"):
        maple.apply(payments[0], invoices[1], "1.00", on=TODAY)


def test_payment_of_another_owner_is_not_applied(database, maple, open_items):
    invoices, payments = open_items
    other = maple.payment(maple.owner("Co-owner"), "100.00", on=TODAY)
    with pytest.raises(
        errors.CheckViolation, match=f"invoice {invoices[0]['number']} is not of the owner who made the payment"
    ):
        maple.apply(other, invoices[0], "60.00", on=TODAY)
    maple.apply(payments[0], invoices[0], "60.00", on=TODAY)
    for table, row in (("payments", payments[0]), ("invoices", invoices[0])):
        with pytest.raises(errors.RestrictViolation, match="cannot get another owner"):
            database.run(f"UPDATE {table} SET owner_id = %s WHERE id = %s", other["owner_id"], row["id"])


# The role that runs the jobs. -----------------------------------------------------------------------------------


def test_worker_owns_nothing_and_cannot_create_or_delete(database):
    assert database.value("SELECT count(*) FROM pg_class WHERE relowner = %s::regrole", WORKER) == 0
    assert database.value("SELECT count(*) FROM pg_proc WHERE proowner = %s::regrole", WORKER) == 0
    assert database.value("SELECT has_database_privilege(%s, current_database(), 'CREATE')", WORKER) is False
    creatable = database.rows(
        "SELECT nspname FROM pg_namespace WHERE has_schema_privilege(%s, oid, 'CREATE') AND nspname !~ '^pg_temp'",
        WORKER,
    )
    assert creatable == []
    too_much = database.rows(
        """
        SELECT relname, privilege
          FROM pg_class
         CROSS JOIN unnest(ARRAY['DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) AS privilege
         WHERE relkind IN ('r', 'v', 'p') AND relnamespace IN ('hoa'::regnamespace, 'hoa_ops'::regnamespace)
           AND has_table_privilege(%s, oid, privilege)
        """,
        WORKER,
    )
    assert too_much == []


def updatable(database, table):
    rows = database.rows(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped "
        "AND has_column_privilege(%s, attrelid, attnum, 'UPDATE')",
        *(table, WORKER),
    )
    return {row["attname"] for row in rows}


def test_worker_cannot_change_posted_or_frozen_rows(database):
    posted = (
        "journal_entries", "journal_entry_lines", "invoices", "invoice_lines", "payments", "payment_applications",
        "violation_escalations", "payment_reminders", "run_tenants", "budget_alerts", "billed_periods",
        "tenants", "owners", "units", "unit_statuses", "recurring_charges", "ownerships",
        "accounts", "budgets", "budget_lines", "late_fee_rules",
    )  # fmt: skip
    assert {table: updatable(database, table) for table in posted} == {table: set() for table in posted}
    assert updatable(database, "violations") == {"status"}
    assert updatable(database, "outbox") == {
        "state", "attempts", "not_before", "claimed_by", "claimed_at", "handed_over_at", "last_response", "finished_at",
    }  # fmt: skip


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE hoa_ops.mine (id integer)",
        "CREATE TABLE hoa.mine (id integer)",
        "CREATE TABLE public.mine (id integer)",
        "CREATE TEMPORARY TABLE mine (id integer)",
        "CREATE SCHEMA mine",
        "DROP TABLE outbox",
        "ALTER TABLE outbox DISABLE TRIGGER ALL",
        "ALTER TABLE journal_entries DISABLE TRIGGER append_only",
        "SET session_replication_role = replica",
        "DELETE FROM outbox",
        "DELETE FROM runs",
        "TRUNCATE outbox",
        "UPDATE journal_entry_lines SET debit = 0",
        "UPDATE invoices SET status = 'void'",
        "UPDATE payments SET applied = 0",
        "UPDATE payment_applications SET reversal_entry_id = journal_entry_id",
        "UPDATE outbox SET subject = 'Another'",
        "UPDATE outbox SET text_body = 'Another'",
        "UPDATE outbox SET recipient_address = 'thief@example.com'",
        "INSERT INTO payments (tenant_id) VALUES (NULL)",
        "INSERT INTO owners (tenant_id) VALUES (NULL)",
        "UPDATE alembic_version SET version_num = '0000'",
        "SELECT * FROM elsewhere.secrets",
    ],
)
def test_worker_is_refused(database, worker, statement):
    database.run("CREATE SCHEMA IF NOT EXISTS elsewhere")
    database.run("CREATE TABLE IF NOT EXISTS elsewhere.secrets (secret text)")
    with pytest.raises(errors.InsufficientPrivilege):
        worker.execute(statement)


def test_worker_reads_and_posts_what_the_jobs_need(database, worker, maple):
    assert worker.execute("SELECT count(*) FROM owners").fetchone()
    worker.execute("UPDATE violations SET status = status")
    worker.execute("UPDATE outbox SET state = state")
    entry_id = worker.execute(
        "INSERT INTO journal_entries (tenant_id, entry_number, entry_date, description) VALUES (%s, 'W-1', %s, '') "
        "RETURNING id",
        (maple.tenant_id, TODAY),
    ).fetchone()["id"]
    assert isinstance(entry_id, UUID)


@pytest.fixture
def role(server, database):
    """Return a way to log in as a role of which nothing is known, and that may see both schemas."""
    connections = []

    def login(name):
        with psycopg.connect(server.dsn("schema"), autocommit=True) as administrator:
            administrator.execute(f"DROP ROLE IF EXISTS {name}")
            administrator.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{PASSWORD}'")
            administrator.execute(f"GRANT CONNECT ON DATABASE schema TO {name}")
            administrator.execute(f"GRANT USAGE ON SCHEMA hoa, hoa_ops TO {name}")
        connections.append((name, psycopg.connect(server.dsn("schema", name, PASSWORD), autocommit=True)))
        return connections[-1][1]

    yield login
    for name, connection in connections:
        connection.close()
        with psycopg.connect(server.dsn("schema"), autocommit=True) as administrator:
            administrator.execute(f"DROP OWNED BY {name}")
            administrator.execute(f"DROP ROLE {name}")


def test_stranger_may_execute_none_of_the_functions(database, role):
    stranger = role("stranger")
    functions = [
        row["function"]
        for row in database.rows(
            "SELECT oid::regprocedure::text AS function FROM pg_proc "
            "WHERE pronamespace IN ('hoa'::regnamespace, 'hoa_ops'::regnamespace)"
        )
    ]
    assert {"lock_owner_credits(uuid)", "next_document_number(uuid,text)", "sum_figures(jsonb)"} <= set(functions)
    stranger.execute("SET search_path = hoa_ops, hoa")
    allowed = [name for name in functions if stranger.execute("SELECT has_function_privilege(%s, 'EXECUTE')", [name])
               .fetchone() != (False,)]  # fmt: skip
    assert allowed == []
    with pytest.raises(errors.InsufficientPrivilege, match="permission denied for function lock_owner_credits"):
        stranger.execute("SELECT lock_owner_credits(%s)", [uuid4()])


def test_function_that_everybody_could_execute_is_closed_by_the_next_migration(database, role):
    database.run("GRANT EXECUTE ON FUNCTION lock_owner_credits TO PUBLIC")
    migrate(database.owner_dsn)
    with pytest.raises(errors.InsufficientPrivilege):
        role("stranger").execute("SELECT hoa_ops.lock_owner_credits(%s)", [uuid4()])


def test_program_that_posts_needs_the_grants_of_the_page_on_tables(request, database, maple, role):
    program = role("program")
    [grants] = re.findall(r"```sql\n(GRANT .*?)```", TABLES_PAGE.read_text(), re.DOTALL)
    for grant in grants.strip().splitlines():
        if "before PostgreSQL 18" not in grant or "oldest" in request.node.name:
            database.run(grant.partition(";")[0])
    database.run("GRANT INSERT, SELECT ON journal_entries TO program")
    program.execute(
        "INSERT INTO hoa.journal_entries (tenant_id, entry_number, entry_date, description) "
        "SELECT %(tenant_id)s, hoa_ops.next_document_number(%(tenant_id)s, 'journal_entry'), %(today)s, 'By a program'",
        {"tenant_id": maple.tenant_id, "today": TODAY},
    )


# Dry runs. ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO document_counters (tenant_id, kind) VALUES (%(tenant_id)s, 'invoice')",
        "UPDATE violations SET status = 'closed'",
        "WITH written AS (UPDATE outbox SET state = 'sent' RETURNING id) SELECT count(*) FROM written",
        "SELECT next_document_number(%(tenant_id)s, 'invoice')",
        "SELECT id FROM violations FOR UPDATE",
    ],
)
def test_database_refuses_writes_in_a_dry_run(database, maple, statement):
    before = database.snapshot()
    with (
        Database("hoa_ops_db") as connection,
        pytest.raises(DatabaseError, match=r"in a read-only transaction \[25006"),
        connection.transaction(read_only=True) as cursor,
    ):
        cursor.run(statement, {"tenant_id": maple.tenant_id})
    assert database.snapshot() == before


def test_dry_run_transaction_cannot_be_made_writable(database):
    with (
        Database("hoa_ops_db") as connection,
        pytest.raises(DatabaseError, match="must be set before any query"),
        connection.transaction(read_only=True) as cursor,
    ):
        cursor.run("SET TRANSACTION READ WRITE")


def test_next_transaction_can_write_again(database, maple):
    maple.violation(maple.unit(), maple.violation_type(), cure_deadline=TODAY)
    with Database("hoa_ops_db") as connection:
        with connection.transaction(read_only=True) as cursor:
            assert cursor.row("SELECT 1 AS one") == {"one": 1}
        with connection.transaction() as cursor:
            change = "UPDATE violations SET status = 'closed' WHERE tenant_id = %(tenant_id)s"
            assert cursor.run(change, {"tenant_id": maple.tenant_id}) == 1
