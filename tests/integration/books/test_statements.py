"""Statements of account, the aging of receivables, and the proof that the books are in order."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from hoa_ops.books.integrity import deviations
from hoa_ops.books.statements import receivables_aging
from hoa_ops.cli.main import main
from hoa_ops.database import Database
from tests.support.association import AssociationsDatabase
from tests.support.books import deviations_of_all

AS_OF = date(2025, 11, 30)
WHERE_THEY_ARE = "the page HOA history and the table tenants list them all"


@pytest.fixture
def command(capsys):
    """Runs a command line; gives its exit status and what it printed, its lines without runs of spaces."""

    def run(*arguments):
        status = main([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return status, [" ".join(line.split()) for line in (printed.out + printed.err).splitlines()]

    return run


def void(association, invoice, *, on):
    association.journal(on, "4100", "1200", invoice["amount"], reverses=invoice["journal_entry_id"])
    association.database.run("UPDATE invoices SET status = 'void' WHERE id = %s", invoice["id"])


def give_back(association, payment, *, on):
    association.journal(on, "2200", "1000", payment["amount"], reverses=payment["journal_entry_id"])
    association.database.run("UPDATE payments SET status = 'returned' WHERE id = %s", payment["id"])


@pytest.fixture
def account(maple, unit, owner):
    """An account in which everything happened once."""
    september = maple.invoice(unit, owner, "250.00", on=date(2025, 9, 1))
    void(maple, september, on=date(2025, 9, 3))
    october = maple.invoice(unit, owner, "250.00", on=date(2025, 10, 1))
    maple.apply(maple.payment(owner, "300.00", on=date(2025, 10, 5)), october, "250.00", on=date(2025, 10, 5))
    give_back(maple, maple.payment(owner, "70.00", on=date(2025, 10, 6)), on=date(2025, 10, 9))
    maple.invoice(unit, owner, "250.00", on=date(2025, 11, 1))


def test_statement_shows_every_document_and_payment_with_the_running_balance(command, maple, owner, account):
    status, lines = command("statement", "--tenant", "maple-court", "--owner", owner["id"], "--as-of", AS_OF)
    assert status == 0
    assert lines[1:] == [
        "STATEMENT OF ACCOUNT",
        "=" * 70,
        "Association: Maple Court",
        "Owner: Ann Owner",
        "Units: 101",
        "As of: November 30, 2025",
        "",
        "Date Document Description Charges Payments Balance",
        "2025-09-01 INV-00001 Unit 101: Assessment, due 2025-09-01 $250.00 $250.00",
        "2025-09-03 INV-00001 Void -$250.00 $0.00",
        "2025-10-01 INV-00002 Unit 101: Assessment, due 2025-10-01 $250.00 $250.00",
        "2025-10-05 JE-00004 Payment received, check $300.00 -$50.00",
        "2025-10-05 INV-00002 250.00 of the payment of 2025-10-05 applied -$50.00",
        "2025-10-06 JE-00006 Payment received, check $70.00 -$120.00",
        "2025-10-09 JE-00007 Payment of 2025-10-06 returned -$70.00 -$50.00",
        "2025-11-01 INV-00003 Unit 101: Assessment, due 2025-11-01 $250.00 $200.00",
        "",
        "Open Invoices: $250.00",
        "Payments Not Yet Applied: $50.00",
        "Balance Due: $200.00",
    ]


@pytest.mark.parametrize(
    ("as_of", "open_invoices", "unapplied"),
    [
        ("2025-08-31", "0.00", "0.00"),
        ("2025-09-02", "250.00", "0.00"),
        ("2025-09-03", "0.00", "0.00"),
        ("2025-10-04", "250.00", "0.00"),
        ("2025-10-08", "0.00", "120.00"),
        ("2025-10-09", "0.00", "50.00"),
    ],
)
def test_books_are_in_order_on_every_day(database, command, owner, account, as_of, open_invoices, unapplied):
    _, lines = command("statement", "--tenant", "maple-court", "--owner", owner["id"], "--as-of", as_of)
    assert lines[-3:-1] == [f"Open Invoices: ${open_invoices}", f"Payments Not Yet Applied: ${unapplied}"]
    assert deviations_of_all(database, as_of=date.fromisoformat(as_of)) == []
    assert command("aging", "--tenant", "maple-court", "--as-of", as_of)[0] == 0


@pytest.fixture
def broken(database, postgres):
    """The books as someone could leave them who may switch triggers and keys off."""
    dsn = postgres.dsn(database.value("SELECT current_database()"))
    with AssociationsDatabase(dsn, database.worker_dsn) as superuser:
        superuser.run("SET session_replication_role = replica")
        yield superuser


def test_payment_applied_to_another_owner_s_invoice_moves_both_balances(command, broken, maple, unit, owner):
    """As it was possible before it was refused."""
    bob = maple.owner("Bob")
    invoice = maple.invoice(maple.unit("102", owner=bob), bob, "100.00", on=AS_OF)
    payment = maple.payment(bob, "100.00", on=AS_OF)
    maple.apply(payment, invoice, "100.00", on=AS_OF)
    broken.run("UPDATE payments SET owner_id = %s WHERE id = %s", owner["id"], payment["id"])
    for debtor in (owner, bob):
        _, lines = command("statement", "--tenant", "maple-court", "--owner", debtor["id"], "--as-of", AS_OF)
        assert lines[-3:] == ["Open Invoices: $0.00", "Payments Not Yet Applied: $0.00", "Balance Due: $0.00"]


def test_aging_puts_each_invoice_where_its_days_overdue_belong(command, maple, unit, owner):
    bob = maple.owner("Bob")
    other = maple.unit("102", owner=bob)
    for days, amount in ((-5, 1), (0, 2), (1, 4), (30, 8), (31, 16), (60, 32), (61, 64), (90, 128), (91, 256)):
        due = AS_OF - timedelta(days=days)
        maple.invoice(unit, owner, amount, on=min(due, AS_OF), due=due, kind="other", period=None)
    partly = maple.invoice(other, bob, "100.00", on=date(2025, 11, 1))
    maple.apply(maple.payment(bob, "60.00", on=AS_OF), partly, "60.00", on=AS_OF)
    status, lines = command("aging", "--tenant", "maple-court", "--as-of", AS_OF)
    assert status == 0
    assert lines[1:] == [
        "RECEIVABLES AGING",
        "=" * 70,
        "Association: Maple Court",
        "As of: November 30, 2025",
        "",
        "Unit Owner Current 1-30 days 31-60 days 61-90 days 90+ days Total",
        "101 Ann Owner $3.00 $12.00 $48.00 $192.00 $256.00 $511.00",
        "102 Bob $0.00 $40.00 $0.00 $0.00 $0.00 $40.00",
        "Total $3.00 $52.00 $48.00 $192.00 $256.00 $551.00",
        "",
        "General Ledger, Accounts Receivable (1200): $551.00",
        "✓ Open invoices agree with the general ledger.",
    ]


def test_payment_counts_from_the_day_it_was_received(command, maple, unit, owner):
    invoice = maple.invoice(unit, owner, "250.00", on=date(2025, 11, 1))
    maple.payment(owner, "100.00", on=AS_OF + timedelta(days=1))
    paid = maple.payment(owner, "250.00", on=AS_OF + timedelta(days=1))
    maple.apply(paid, invoice, "250.00", on=AS_OF + timedelta(days=1))
    for as_of, open_invoices, unapplied in ((AS_OF, "250.00", "0.00"), (AS_OF + timedelta(days=1), "0.00", "100.00")):
        _, lines = command("statement", "--tenant", "maple-court", "--owner", owner["id"], "--as-of", as_of)
        assert lines[-3:-1] == [f"Open Invoices: ${open_invoices}", f"Payments Not Yet Applied: ${unapplied}"]
        _, lines = command("aging", "--tenant", "maple-court", "--as-of", as_of)
        assert f"General Ledger, Accounts Receivable (1200): ${open_invoices}" in lines


def test_payment_applied_before_it_was_received_is_named(command, maple, unit, owner):
    invoice = maple.invoice(unit, owner, "250.00", on=date(2025, 11, 1))
    maple.apply(maple.payment(owner, "250.00", on=AS_OF), invoice, "250.00", on=date(2025, 11, 2))
    status, lines = command("check-books", "--tenant", "maple-court", "--as-of", AS_OF)
    assert status == 1
    assert lines == [
        "✗ Maple Court: invoice INV-00001: 250.00 applied on 2025-11-02, of a payment that was received on 2025-11-30"
    ]


def test_aging_lists_units_in_natural_order_and_a_statement_too(command, maple, owner):
    for number in ("A-10", "A-2", "B-1", "A-1"):
        maple.invoice(maple.unit(number, owner=owner), owner, "10.00", on=AS_OF)
    _, lines = command("aging", "--tenant", "maple-court", "--as-of", AS_OF)
    assert [line.split()[0] for line in lines if "Ann Owner" in line] == ["A-1", "A-2", "A-10", "B-1"]
    _, lines = command("statement", "--tenant", "maple-court", "--owner", owner["id"], "--as-of", AS_OF)
    assert "Units: A-1, A-2, A-10, B-1" in lines


def test_aging_that_differs_from_the_ledger_says_so_and_ends_with_1(command, maple, unit, owner):
    maple.invoice(unit, owner, "250.00", on=date(2025, 11, 1))
    maple.journal(date(2025, 11, 2), "1200", "4100", "0.01")
    status, lines = command("aging", "--tenant", "maple-court", "--as-of", AS_OF)
    assert status == 1
    assert lines[-1] == "✗ Open invoices do NOT agree with the general ledger: they differ by -$0.01."


def test_books_in_order_pass(command, account, database):
    database.association("other-oaks")
    assert command("check-books") == (0, ["✓ The books of 2 association(s) are in order."])


def test_every_fault_in_the_books_is_named(database, command, maple, unit, owner):
    invoice = maple.invoice(unit, owner, "250.00", on=date(2025, 11, 1))
    maple.invoice(unit, owner, "250.00", on=date(2025, 10, 1), number="INV-00005")
    maple.insert("journal_entries", entry_number="JE-00009", entry_date=AS_OF, description="Empty")
    maple.journal(AS_OF, "1000", "2200", "3.00")
    database.run("UPDATE invoice_lines SET amount = 249 WHERE invoice_id = %s", invoice["id"])
    status, lines = command("check-books", "--tenant", "maple-court", "--as-of", AS_OF)
    assert status == 1
    assert lines == [
        "✗ Maple Court: invoice INV-00001: amount 250.00, its lines add up to 249.00",
        "✗ Maple Court: journal entry JE-00009: debits of 0, credits of 0",
        "✗ Maple Court: numbers missing after INV-00001: 3",
        "✗ Maple Court: numbers missing after JE-00003: 5",
        "✗ Maple Court: the counter of invoice numbers is at 1, the last document is INV-00005",
        "✗ Maple Court: the counter of journal entry numbers is at 3, the last document is JE-00009",
        "✗ Maple Court: unapplied payments are $0.00, account 2200 of the general ledger has $3.00",
    ]


def check_books(command, as_of=AS_OF):
    """What the command says is wrong, without the name of the association."""
    status, lines = command("check-books", "--tenant", "maple-court", "--as-of", as_of)
    assert status == bool(lines[0].startswith("✗"))
    return [line.removeprefix("✗ Maple Court: ") for line in lines]


@pytest.fixture
def paid(maple, unit, owner):
    """An invoice of 100 (INV-00001) with 60 applied of a payment of 100 (JE-00002)."""
    invoice = maple.invoice(unit, owner, "100.00", on=date(2025, 11, 1))
    payment = maple.payment(owner, "100.00", on=date(2025, 11, 5))
    return invoice, payment, maple.apply(payment, invoice, "60.00", on=date(2025, 11, 5))


def test_payment_that_is_spent_twice_is_named(broken, command, maple, unit, owner, paid):
    _, payment, _ = paid
    other = maple.invoice(unit, owner, "100.00", on=date(2025, 10, 1))
    entry = maple.journal(AS_OF, "2200", "1200", "70.00")
    broken.run(
        "INSERT INTO payment_applications (tenant_id, payment_id, invoice_id, amount, applied_on, journal_entry_id) "
        "VALUES (%s, %s, %s, 70, %s, %s)",
        *(maple.tenant_id, payment["id"], other["id"], AS_OF, entry),
    )
    assert check_books(command) == [
        "invoice INV-00002: 0.00 is recorded as applied, its applications come to 70.00",
        "payment JE-00002: 60.00 is recorded as applied, its applications come to 130.00",
        "payment JE-00002: amount 100.00, but 130.00 of it is applied",
    ]


@pytest.mark.parametrize(("table", "named"), [("payments", "payment JE-00002"), ("invoices", "invoice INV-00001")])
def test_amount_applied_that_differs_from_the_applications_is_named(broken, command, paid, table, named):
    broken.run(f"UPDATE {table} SET applied = 10")
    found = [line for line in check_books(command) if "recorded as applied" in line]
    assert found == [f"{named}: 10.00 is recorded as applied, its applications come to 60.00"]


def test_payment_applied_to_another_owner_s_invoice_is_named(broken, command, maple, paid):
    broken.run("UPDATE payments SET owner_id = %s", maple.owner("Bob")["id"])
    assert check_books(command) == [
        "invoice INV-00001: 60.00 applied on 2025-11-05, of a payment of another owner",
    ]


def test_invoice_that_is_paid_beyond_its_amount_is_named(broken, command, maple, owner, paid):
    invoice, _, _ = paid
    second = maple.payment(owner, "50.00", on=AS_OF)
    entry = maple.journal(AS_OF, "2200", "1200", "50.00")
    broken.run(
        "INSERT INTO payment_applications (tenant_id, payment_id, invoice_id, amount, applied_on, journal_entry_id) "
        "VALUES (%s, %s, %s, 50, %s, %s)",
        *(maple.tenant_id, second["id"], invoice["id"], AS_OF, entry),
    )
    assert "invoice INV-00001: amount 100.00, but 110.00 is applied to it" in check_books(command)


def test_void_invoice_that_is_still_paid_is_named(broken, command, maple, paid):
    invoice, _, _ = paid
    maple.journal(AS_OF, "4100", "1200", "100.00", reverses=invoice["journal_entry_id"])
    broken.run("ALTER TABLE invoices DROP CONSTRAINT invoices_void_check")
    broken.run("UPDATE invoices SET status = 'void'")
    assert "invoice INV-00001: void, but 60.00 is applied to it" in check_books(command)


def test_returned_payment_that_is_still_applied_is_named(command, maple, paid):
    _, payment, _ = paid
    give_back(maple, payment, on=AS_OF)
    assert check_books(command) == ["payment JE-00002: returned, but 60.00 of it is applied"]


def test_lines_added_to_an_old_entry_are_named(broken, command, maple):
    entry = maple.journal(AS_OF, "1000", "4100", "5.00")
    maple.journal(AS_OF, "1000", "4100", "7.00")
    broken.run(
        "INSERT INTO journal_entry_lines (tenant_id, entry_id, line_number, account_id, debit, credit) "
        "SELECT tenant_id, entry_id, line_number + 2, account_id, debit, credit FROM journal_entry_lines "
        "WHERE entry_id = %s",
        entry,
    )
    assert check_books(command) == ["journal entry JE-00001: lines were added after it was posted"]


def test_numbers_in_another_format_are_ignored(database, maple, unit, owner):
    maple.invoice(unit, owner, "250.00", on=AS_OF)
    maple.invoice(unit, owner, "250.00", on=AS_OF, number="2025/17", period=date(2025, 1, 1))
    maple.invoice(unit, owner, "250.00", on=AS_OF, number="INV-77", period=date(2025, 2, 1))
    maple.invoice(unit, owner, "250.00", on=AS_OF, number=f"INV-{'9' * 40}", period=date(2025, 3, 1))
    assert deviations_of_all(database) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["aging", "--tenant", "nowhere"],
            f"no association has the code, id or name 'nowhere': {WHERE_THEY_ARE}",
        ),
        (
            ["statement", "--tenant", "maple-court", "--owner", "00000000-0000-0000-0000-000000000000"],
            "Maple Court (maple-court) has no owner with the id 00000000-0000-0000-0000-000000000000",
        ),
    ],
)
def test_what_does_not_exist_is_named(command, maple, arguments, said):
    assert command(*arguments) == (1, [said])


def test_missing_connection_is_named(command, database, monkeypatch):
    monkeypatch.delenv("AIRFLOW_CONN_HOA_OPS_DB")
    # A server would look into Airflow's own database, which tests have none of.
    monkeypatch.setenv("_AIRFLOW_PROCESS_CONTEXT", "client")
    status, [said] = command("check-books")
    assert status == 1
    assert said.startswith("there is no Airflow Connection 'hoa_ops_db': create it")


def test_suspended_association_can_be_viewed(database, command, maple, account):
    database.run("UPDATE tenants SET status = 'suspended'")
    assert command("aging", "--tenant", "maple-court")[0] == 0


def test_owner_of_another_association_is_refused(database, command, maple, owner):
    database.association("other-oaks")
    status, _ = command("statement", "--tenant", "other-oaks", "--owner", owner["id"])
    assert status == 1


def test_amounts_stay_exact(command, maple, unit, owner):
    for cents in range(1, 4):
        maple.invoice(unit, owner, Decimal(cents) / 100, on=AS_OF, kind="other", period=None)
    assert "$0.06" in command("aging", "--tenant", "maple-court", "--as-of", AS_OF)[1][-5]


def test_statement_of_a_unit_is_one_for_each_owner_of_that_day(database, command, maple, unit, owner):
    bob = maple.owner("Bob")
    carol = maple.owner("Carol")
    database.run("UPDATE ownerships SET percentage = 40, ends_on = '2025-10-31' WHERE owner_id = %s", owner["id"])
    maple.ownership(unit, bob, percentage=60)
    maple.ownership(unit, carol, percentage=40, since=date(2025, 11, 1))
    for as_of, names in (("2025-10-31", ["Bob", "Ann Owner"]), ("2025-11-01", ["Bob", "Carol"])):
        status, lines = command("statement", "--tenant", "maple-court", "--unit", "101", "--as-of", as_of)
        assert status == 0
        assert [line.removeprefix("Owner: ") for line in lines if line.startswith("Owner: ")] == names
        assert lines.count("Balance Due: $0.00") == 2


@pytest.mark.parametrize(
    ("unit_number", "said"),
    [("999", "Maple Court (maple-court) has no unit '999'"),
     ("102", "unit 102 of Maple Court (maple-court) had no owner of record on 2025-11-30")],
)  # fmt: skip
def test_unit_without_a_statement_is_refused(command, maple, unit, unit_number, said):
    maple.unit("102")
    assert command("statement", "--tenant", "maple-court", "--unit", unit_number, "--as-of", AS_OF) == (1, [said])


def test_books_are_read_as_of_one_moment(database, maple, unit, owner):
    """A bookkeeper may post between two queries of a check; the check must not see half of it."""
    with Database("hoa_ops_db") as worker, worker.transaction(read_only=True) as cursor:
        before = deviations(cursor, maple.tenant_id, as_of=AS_OF)
        maple.invoice(unit, owner, "250.00", on=date(2025, 11, 1))
        aging = receivables_aging(cursor, maple.tenant_id, as_of=AS_OF)
    assert before == []
    assert aging.total == Decimal("0.00")
    assert aging.difference == 0
