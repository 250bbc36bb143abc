"""Reversing invoices that a wrong rule posted, in whole runs or one by one."""

from datetime import date
from decimal import Decimal

import pytest

from hoa_ops.cli.main import main

pytestmark = pytest.mark.usefixtures("books_in_order")

FIRST = date(2025, 11, 1)
SIXTH = date(2025, 11, 6)
RUN = "manual__fees"
SIGNED = ["--who", "Pat Lee", "--why", "rule of 250 instead of 25"]


@pytest.fixture
def reverse(database, capsys):
    """Runs the command; gives its exit status and the lines that it printed."""

    def run(*arguments, on="2025-11-07"):
        capsys.readouterr()
        status = main(["reverse", "--dsn", database.owner_dsn, "--on", on, *SIGNED, *map(str, arguments)])
        printed = capsys.readouterr()
        return status, [line.strip() for line in (printed.out + printed.err).splitlines()]

    return run


@pytest.fixture
def reverse_run(reverse):
    def run(*arguments, **options):
        return reverse("--run", RUN, "--job", "assess_late_fees", *arguments, **options)

    return run


def with_overdue(association, *unit_numbers):
    """Give an association a late-fee rule and an overdue November assessment for each unit."""
    association.insert(
        "late_fee_rules", fee_type="flat", flat_amount="250.00", effective_from=date(2025, 1, 1), frequency="once"
    )
    for number in unit_numbers:
        owner = association.owner(f"Owner of {number}", email=f"owner{number}@example.com")
        association.invoice(association.unit(number, owner=owner), owner, "250.00", on=FIRST)
    return association


@pytest.fixture
def maple(database):
    return with_overdue(database.association(), "101", "102")


@pytest.fixture
def charge(jobs):
    def run(on=SIXTH, dag_run_id=RUN):
        return jobs.run("hoa_monthly_billing", "assess_late_fees", on=on, dag_run_id=dag_run_id, job="assess_late_fees")

    return run


def invoice(database, number):
    [row] = database.rows("SELECT * FROM invoices WHERE number = %s", number)
    return row


def balances(database):
    return {row["number"]: row["balance"] for row in database.rows("SELECT number, balance FROM invoice_balances")}


def test_run_is_reversed_as_its_dry_run_showed(database, maple, charge, reverse_run):
    charge()
    before = database.snapshot()
    status, dry = reverse_run("--dry-run")
    assert status == 0
    assert database.snapshot() == before
    status, live = reverse_run()
    assert status == 0
    assert dry[0] == "Dry run: nothing is changed."
    assert [line.replace("Would reverse", "Reversed") for line in dry[1:]] == live
    assert live[:4] == [
        "Maple Court (maple-court)",
        "✓ INV-00003  unit 101  late fee  $250.00; unsent mail about it canceled",
        "✓ INV-00004  unit 102  late fee  $250.00; unsent mail about it canceled",
        "Reversed: 2 invoice(s), $500.00; back to owners' credit: $0.00",
    ]
    assert "correct the rule first" in live[-1]
    assert balances(database) == {"INV-00001": Decimal("250.00"), "INV-00002": Decimal("250.00")}
    entries = database.rows(
        """
        SELECT entry_number, entry_date, lines.debit, lines.credit, accounts.number
          FROM journal_entries AS entries
          JOIN journal_entry_lines AS lines ON lines.entry_id = entries.id
          JOIN accounts ON accounts.id = lines.account_id
         WHERE source = 'reversal' ORDER BY entry_number, accounts.number
        """
    )
    assert [tuple(entry.values()) for entry in entries] == [
        (number, date(2025, 11, 7), debit, credit, account)
        for number in ("JE-00005", "JE-00006")
        for debit, credit, account in ((0, Decimal("250.00"), "1200"), (Decimal("250.00"), 0, "4200"))
    ]


def test_rerun_reverses_nothing_and_says_so(database, maple, charge, reverse_run):
    charge()
    reverse_run()
    before = database.snapshot()
    status, lines = reverse_run()
    assert status == 0
    assert "- INV-00003  unit 101  late fee  $250.00: already void" in lines
    assert lines[-2:] == ["Nothing to reverse.", "Skipped: 2"]
    assert database.snapshot() == before


def test_who_and_why_are_recorded(database, maple, charge, reverse_run):
    charge()
    reverse_run()
    [row] = database.rows("SELECT DISTINCT reversed_by, reason, reversed_on FROM reversals")
    assert row == {
        "reversed_by": "Pat Lee",
        "reason": "rule of 250 instead of 25",
        "reversed_on": date(2025, 11, 7),
    }
    actions = database.rows("SELECT action, acted_by FROM outbox_actions")
    assert actions == [{"action": "cancel", "acted_by": "Pat Lee"}] * 2


def test_mail_already_sent_is_named(database, maple, charge, reverse_run):
    charge()
    database.run("UPDATE outbox SET state = 'sent'")
    _, lines = reverse_run()
    assert "✓ INV-00003  unit 101  late fee  $250.00; the owner was already notified" in lines
    assert "Owners were already notified of 2 of these invoices: write to those owners." in lines
    assert database.rows("SELECT DISTINCT state FROM outbox") == [{"state": "sent"}]


def test_payment_on_a_reversed_fee_becomes_credit_again(database, maple, charge, reverse_run):
    charge()
    fee = invoice(database, "INV-00003")
    payment = maple.payment({"id": fee["owner_id"]}, "300.00", on=date(2025, 11, 6))
    maple.apply(payment, fee, "250.00", on=date(2025, 11, 6))
    status, lines = reverse_run()
    assert status == 0
    told = "$250.00 goes back to the owner's credit; unsent mail about it canceled"
    assert f"✓ INV-00003  unit 101  late fee  $250.00; {told}" in lines
    assert database.value("SELECT unapplied FROM owner_credits") == Decimal("300.00")
    assessment = invoice(database, "INV-00001")
    maple.apply(payment, assessment, "250.00", on=date(2025, 11, 8))
    assert balances(database)["INV-00001"] == 0


def test_nothing_can_be_applied_to_a_reversed_invoice(database, maple, charge, reverse_run):
    charge()
    reverse_run()
    fee = invoice(database, "INV-00003")
    payment = maple.payment({"id": fee["owner_id"]}, "50.00", on=SIXTH)
    with pytest.raises(Exception, match="INV-00003 is void"), database.connection.transaction():
        maple.apply(payment, fee, "50.00", on=date(2025, 11, 8))


def test_statement_and_aging_show_the_reversal_on_its_day(database, maple, charge, reverse_run, capsys):
    charge()
    fee = invoice(database, "INV-00003")
    payment = maple.payment({"id": fee["owner_id"]}, "250.00", on=SIXTH)
    maple.apply(payment, fee, "250.00", on=SIXTH)
    reverse_run()

    def printed(*arguments):
        assert main([*arguments, "--tenant", "maple-court"]) == 0
        return [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]

    statement = printed("statement", "--owner", str(fee["owner_id"]), "--as-of", "2025-11-30")
    assert [line for line in statement if line.startswith("2025-11-07")] == [
        "2025-11-07 INV-00003 Void -$250.00 $0.00",
        "2025-11-07 INV-00003 250.00 of the payment of 2025-11-06 returned to credit $0.00",
    ]
    assert "Open Invoices: $250.00" in statement
    assert "Payments Not Yet Applied: $250.00" in statement
    for day in ("2025-11-06", "2025-11-07"):
        printed("aging", "--as-of", day)
        printed("check-books", "--as-of", day)


def test_next_run_charges_by_the_corrected_rule(database, maple, charge, reverse_run):
    charge()
    reverse_run()
    database.run("UPDATE late_fee_rules SET flat_amount = 25")
    charge(on=date(2025, 11, 10), dag_run_id="manual__corrected")
    assert balances(database)["INV-00005"] == Decimal("25.00")
    status, lines = reverse_run()
    assert (status, lines[-2]) == (0, "Nothing to reverse.")


def test_invoice_that_bears_a_fee_is_reversed_only_with_it(database, maple, charge, reverse):
    charge()
    status, lines = reverse("--invoice", "maple-court", "INV-00001", "INV-00002", "INV-00004")
    assert status == 1
    assert lines[1:4] == [
        "✗ INV-00001  unit 101  assessment  $250.00: late fee INV-00003 was charged on it: reverse that as well",
        "✓ INV-00002  unit 102  assessment  $250.00",
        "✓ INV-00004  unit 102  late fee  $250.00; unsent mail about it canceled",
    ]
    assert set(balances(database)) == {"INV-00001", "INV-00003"}
    status, _ = reverse("--invoice", "maple-court", "INV-00001", "INV-00003")
    assert status == 0
    assert balances(database) == {}


def test_invoice_whose_fee_cannot_be_reversed_stays(database, maple, charge, reverse):
    charge()
    status, lines = reverse("--invoice", "maple-court", "INV-00001", "INV-00003", on="2025-11-05")
    assert status == 1
    assert "late fee INV-00003 was charged on it" in lines[1]
    assert "dated 2025-11-06, after the date of the reversal" in lines[2]
    assert len(balances(database)) == 4


def test_manual_reversals_and_settlements_are_left_to_people(database, maple, charge, reverse):
    charge()
    fee, assessment = invoice(database, "INV-00003"), invoice(database, "INV-00001")
    maple.journal(date(2025, 11, 6), "4200", "1200", "250.00", reverses=fee["journal_entry_id"])
    maple.journal(date(2025, 11, 6), "1200", "4200", "250.00")
    payment = maple.payment({"id": assessment["owner_id"]}, "100.00", on=SIXTH)
    entry = maple.journal(SIXTH, "2200", "1200", "100.00")
    for settled in (assessment, fee):
        maple.insert(
            "payment_applications",
            payment_id=payment["id"],
            invoice_id=settled["id"],
            amount="50.00",
            applied_on=SIXTH,
            journal_entry_id=entry,
        )
    status, lines = reverse("--invoice", "maple-court", "INV-00001", "INV-00003")
    assert status == 1
    assert "which also settles others: take that apart first" in lines[1]
    assert "reverses its journal entry already, yet it is not void" in lines[2]
    assert "Nothing to reverse." in lines


def test_each_association_is_reversed_on_its_own(database, maple, charge, reverse_run):
    oaks = with_overdue(database.association("other-oaks"), "1")
    charge()
    database.run("UPDATE tenants SET status = 'suspended' WHERE id = %s", oaks.tenant_id)
    status, lines = reverse_run("--tenant", "other-oaks")
    assert (status, lines[0]) == (0, "Other Oaks (other-oaks)")
    assert "Reversed: 1 invoice(s), $250.00; back to owners' credit: $0.00" in lines
    status, lines = reverse_run()
    assert status == 0
    assert {"Maple Court (maple-court)", "Other Oaks (other-oaks)", "Skipped: 1"} <= set(lines)
    assert "Reversed: 2 invoice(s), $500.00; back to owners' credit: $0.00" in lines
    assert database.rows("SELECT DISTINCT status FROM invoices WHERE kind = 'late_fee'") == [{"status": "void"}]


def test_association_that_fails_is_left_unchanged_and_the_others_are_done(database, maple, charge, reverse_run):
    oaks = with_overdue(database.association("other-oaks"), "1")
    charge()
    database.run(
        """
        CREATE FUNCTION closed() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE ''the books are closed''; END';
        """
    )
    database.run(
        f"CREATE TRIGGER closed BEFORE UPDATE ON invoices FOR EACH ROW "
        f"WHEN (NEW.tenant_id = '{oaks.tenant_id}') EXECUTE FUNCTION closed()"
    )
    status, lines = reverse_run()
    assert status == 1
    assert lines[lines.index("Other Oaks (other-oaks)") + 1].startswith("✗ nothing was changed: ")
    assert "Reversed: 2 invoice(s), $500.00; back to owners' credit: $0.00" in lines
    assert database.value("SELECT count(*) FROM reversals") == 2


def test_a_wrong_fine_is_reversed_and_not_charged_again(database, maple, jobs, reverse):
    owner = maple.owner()
    maple.violation(maple.unit("103", owner=owner), maple.violation_type(), cure_deadline=FIRST)
    jobs.run("hoa_violation_escalation", "escalate_violations", on=SIXTH, dag_run_id="manual__fines")
    status, lines = reverse("--run", "manual__fines", "--job", "escalate_violations")
    assert status == 0
    assert "✓ INV-00003  unit 103  fine  $50.00; unsent mail about it canceled" in lines
    jobs.run("hoa_violation_escalation", "escalate_violations", on=SIXTH, dag_run_id="manual__again")
    assert "INV-00004" not in balances(database)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--run", "manual__nothing", "--job", "assess_late_fees"], "run: assess_late_fees has no live run"),
        (["--run", RUN], "job: name the job"),
        (["--run", RUN, "--job", "assess_late_fees", "--tenant", "none"], "no association has the code"),
        (["--invoice", "maple-court"], "invoice: give the association and then"),
        (["--invoice", "none", "INV-00001"], "no association has the code"),
        (["--invoice", "maple-court", "INV-00001", "INV-77777"], "invoice: Maple Court (maple-court) has no INV-77777"),
        (["--invoice", "maple-court", "INV-00001", "--job", "assess_late_fees"], "these go with --run"),
    ],
)
def test_what_does_not_exist_is_refused(database, maple, charge, reverse, arguments, complaint):
    charge()
    before = database.snapshot()
    status, lines = reverse(*arguments)
    assert status == 1
    assert complaint in lines[0]
    assert database.snapshot() == before


def test_future_date_is_refused(maple, charge, reverse_run):
    charge()
    status, lines = reverse_run(on="2099-12-31")
    assert status == 1
    assert "on: 2099-12-31 is in the future" in lines[0]
