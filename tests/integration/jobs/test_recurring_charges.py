"""What a unit is billed: its recurring charges, at what was in force on the first of the month."""

import io
from datetime import date
from decimal import Decimal

import pypdf
import pytest
from airflow.sdk.exceptions import AirflowFailException

from hoa_ops.delivery.attachments import draw_attachment

pytestmark = pytest.mark.usefixtures("books_in_order")

OCTOBER, NOVEMBER, DECEMBER = date(2025, 10, 1), date(2025, 11, 1), date(2025, 12, 1)


def bill(jobs, on=NOVEMBER, **params):
    return jobs.billing("generate_invoices", on=on, **params)


def invoices(database):
    """Unit, owner, month and amount of every assessment invoice that is not void, in the order of the numbers."""
    rows = database.rows(
        """
        SELECT unit_number, full_name, to_char(period, 'YYYY-MM'), amount::text AS amount
          FROM invoices JOIN units ON units.id = unit_id JOIN owners ON owners.id = owner_id
         WHERE kind = 'assessment' AND invoices.status <> 'void' ORDER BY length(number), number
        """
    )
    return [tuple(row.values()) for row in rows]


def months(database):
    return [(month, amount) for _, _, month, amount in invoices(database)]


def lines(database):
    """Every invoice line: invoice, charge kind, what it says, amount and account."""
    rows = database.rows(
        """
        SELECT invoices.number, charge_kind, lines.description, lines.amount::text AS amount, accounts.number AS account
          FROM invoice_lines AS lines JOIN invoices ON invoices.id = invoice_id
          JOIN accounts ON accounts.id = account_id
         ORDER BY natural_order(invoices.number), line_number
        """
    )
    return [tuple(row.values()) for row in rows]


def entries(database):
    """Debits and credits of every entry, by account."""
    rows = database.rows(
        """
        SELECT entries.description, accounts.number, debit::text AS debit, credit::text AS credit
          FROM journal_entries AS entries JOIN journal_entry_lines AS lines ON lines.entry_id = entries.id
          JOIN accounts ON accounts.id = account_id ORDER BY natural_order(entry_number), line_number
        """
    )
    return [tuple(row.values()) for row in rows]


def void(association, number):
    [invoice] = association.database.rows(
        "SELECT * FROM invoices WHERE tenant_id = %s AND number = %s", association.tenant_id, number
    )
    association.journal(
        invoice["invoice_date"], "4100", "1200", invoice["amount"], reverses=invoice["journal_entry_id"]
    )
    association.database.run("UPDATE invoices SET status = 'void' WHERE id = %s", invoice["id"])


@pytest.fixture
def ann(maple):
    return maple.owner("Ann")


@pytest.fixture
def unit(maple, ann):
    return maple.unit("101", owner=ann)


# The charges. ---------------------------------------------------------------------------------------------


def test_owner_gets_one_invoice_with_a_line_a_charge(database, jobs, maple, unit):
    maple.insert("accounts", number="4150", name="Parking Revenue", type="revenue")
    maple.charge(unit, "35.00", kind="other", description="Parking", since=NOVEMBER, account="4150")
    maple.charge(unit, "40.00", kind="special_assessment", description="Roof", since=NOVEMBER, installments=6)
    outcome = bill(jobs)
    assert invoices(database) == [("101", "Ann", "2025-11", "325.00")]
    assert lines(database) == [
        ("INV-00001", "assessment", "Assessment November 2025, Unit 101", "250.00", "4100"),
        ("INV-00001", "special_assessment", "Roof November 2025, installment 1 of 6, Unit 101", "40.00", "4100"),
        ("INV-00001", "other", "Parking November 2025, Unit 101", "35.00", "4150"),
    ]
    entry = "INV-00001 - Charges November 2025, Unit 101"
    assert entries(database) == [
        (entry, "1200", "325.00", "0.00"),
        (entry, "4100", "0.00", "290.00"),
        (entry, "4150", "0.00", "35.00"),
    ]
    assert "  → Unit 101 - INV-00001 - November 2025 - $325.00 - due 2025-11-01" in outcome.log
    assert "    Parking November 2025, Unit 101: $35.00" in outcome.log


def test_mail_and_pdf_show_a_line_a_charge(database, jobs, maple, unit):
    maple.charge(unit, "35.00", kind="other", description="Parking", since=NOVEMBER)
    bill(jobs)
    [message] = database.rows("SELECT * FROM outbox")
    pdf = pypdf.PdfReader(io.BytesIO(draw_attachment(message).content)).pages[0].extract_text()
    for text in (message["text_body"], message["html_body"], pdf):
        for fact in ("Assessment November 2025, Unit 101", "$250.00", "Parking November 2025, Unit 101", "$35.00"):
            assert fact in text
        assert "$285.00" in text


def test_price_change_is_a_new_row_and_counts_from_its_first_day(database, jobs, maple, ann):
    unit = maple.unit("101", owner=ann, monthly_assessment=None)
    maple.charge(unit, "250.00", until=date(2025, 10, 31))
    maple.charge(unit, "275.00", since=NOVEMBER)
    bill(jobs, OCTOBER)
    bill(jobs)
    assert months(database) == [("2025-10", "250.00"), ("2025-11", "275.00")]


def test_price_that_changes_within_a_month_counts_from_the_next_one(database, jobs, maple, ann):
    unit = maple.unit("101", owner=ann, monthly_assessment=None)
    maple.charge(unit, "250.00", until=date(2025, 11, 14))
    maple.charge(unit, "275.00", since=date(2025, 11, 15))
    for month in (NOVEMBER, DECEMBER):
        bill(jobs, month)
    assert months(database) == [("2025-11", "250.00"), ("2025-12", "275.00")]


@pytest.mark.parametrize(
    ("frequency", "charged", "says"),
    [
        ("quarterly", ["2025-02", "2025-05", "2025-08", "2025-11", "2026-02"], "Parking February 2025 to April 2025"),
        ("semiannual", ["2025-02", "2025-08", "2026-02"], "Parking February 2025 to July 2025"),
        ("yearly", ["2025-02", "2026-02"], "Parking February 2025 to January 2026"),
    ],
)
def test_charge_of_several_months_is_billed_in_the_month_it_begins_and_every_so_many_after(
    database, jobs, maple, ann, frequency, charged, says
):
    unit = maple.unit("101", owner=ann, monthly_assessment=None)
    maple.charge(unit, "90.00", kind="other", description="Parking", since=date(2025, 2, 1), frequency=frequency)
    for month in range(1, 15):
        outcome = bill(jobs, date(2025 + (month - 1) // 12, (month - 1) % 12 + 1, 1))
    assert months(database) == [(month, "90.00") for month in charged]
    assert lines(database)[0][2] == f"{says}, Unit 101"
    assert "Skipped: nothing is charged in March 2025" in bill(jobs, billing_month="2025-03").text
    assert outcome.returned["exceptions"] == 0


def test_special_assessment_ends_with_its_last_installment(database, jobs, maple, unit):
    maple.charge(unit, "40.00", kind="special_assessment", description="Roof", since=date(2025, 9, 1), installments=3)
    for month in (9, 10, 11, 12):
        bill(jobs, date(2025, month, 1))
    assert months(database) == [
        ("2025-09", "290.00"), ("2025-10", "290.00"), ("2025-11", "290.00"), ("2025-12", "250.00"),
    ]  # fmt: skip
    assert [said for _, kind, said, _, _ in lines(database) if kind == "special_assessment"][-1] == (
        "Roof November 2025, installment 3 of 3, Unit 101"
    )


def test_special_assessment_by_the_quarter_counts_its_installments(database, jobs, maple, ann):
    unit = maple.unit("101", owner=ann, monthly_assessment=None)
    maple.charge(
        unit, "500", kind="special_assessment", description="Roof", since=OCTOBER, frequency="quarterly", installments=2
    )
    for month in range(10, 20):
        bill(jobs, date(2025 + (month - 1) // 12, (month - 1) % 12 + 1, 1))
    assert [said for _, _, said, _, _ in lines(database)] == [
        "Roof October 2025, installment 1 of 2, Unit 101",
        "Roof January 2026, installment 2 of 2, Unit 101",
    ]


def test_two_amounts_of_one_charge_in_force_are_an_exception_and_two_charges_are_not(database, jobs, maple, unit, ann):
    maple.charge(unit, "275.00", since=NOVEMBER)
    garage = maple.unit("102", owner=ann)
    for space in ("Parking space 7", "Parking space 8"):
        maple.charge(garage, "35.00", kind="other", description=space)
    outcome = bill(jobs)
    assert "Not invoiced: its assessment has 2 amounts in force on 2025-11-01: end all but one" in outcome.text
    assert outcome.returned["exceptions"] == 1
    assert invoices(database) == [("102", "Ann", "2025-11", "320.00")]
    database.run("UPDATE recurring_charges SET ends_on = '2025-10-31' WHERE amount = 250 AND unit_id = %s", unit["id"])
    bill(jobs, date(2025, 11, 2))
    assert invoices(database)[1:] == [("101", "Ann", "2025-11", "275.00")]


def test_charge_of_zero_is_left_out_and_a_negative_one_is_an_exception_for_the_unit(database, jobs, maple, unit, ann):
    maple.charge(unit, "0.00", kind="other", description="Parking")
    odd = maple.unit("102", owner=ann)
    maple.charge(odd, "-35.00", kind="other", description="Parking")
    outcome = bill(jobs)
    assert "Not invoiced: its parking is negative: -35.00" in outcome.text
    assert [said for _, _, said, _, _ in lines(database)] == ["Assessment November 2025, Unit 101"]


def test_unit_without_charges_or_status_is_named(database, jobs, maple, ann):
    maple.unit("101", owner=ann, monthly_assessment=None)
    maple.unit("102", owner=ann, status=None)
    maple.unit_status(maple.unit("103", owner=ann, status=None), "occupied", since=date(2025, 11, 10))
    outcome = bill(jobs)
    assert (outcome.returned["exceptions"], outcome.returned["skipped"], outcome.returned["posted"]) == (2, 1, 0)
    for reason in (
        "Not invoiced: the unit has no charges: add them to recurring_charges, or make the unit exempt",
        "Not invoiced: the unit has no status: add its first one to unit_statuses",
        "Skipped: the unit's first status is as of 2025-11-10",
    ):
        assert reason in outcome.text


def test_lines_of_co_owners_add_up_to_their_invoices_and_to_the_charge(database, jobs, maple, ann):
    unit = maple.unit("101", monthly_assessment="100.00")
    maple.charge(unit, "10.00", kind="other", description="Parking")
    for owner, percentage in ((ann, "33.3334"), (maple.owner("Bob"), "33.3333"), (maple.owner("Cleo"), "33.3333")):
        maple.ownership(unit, owner, percentage=percentage)
    outcome = bill(jobs)
    assert [(owner, amount) for _, owner, _, amount in invoices(database)] == [
        ("Ann", "36.68"), ("Bob", "36.66"), ("Cleo", "36.66"),
    ]  # fmt: skip
    by_charge = {}
    for _, kind, _, amount, _ in lines(database):
        by_charge.setdefault(kind, []).append(Decimal(amount))
    assert {kind: sum(amounts) for kind, amounts in by_charge.items()} == {"assessment": 100, "other": 10}
    assert "    33.3334% share" in outcome.log
    assert lines(database)[0][2] == "Assessment November 2025, Unit 101, 33.3334% share"


def test_charges_go_to_their_own_account_or_to_that_of_their_kind(database, jobs, maple, unit):
    for number, name in (("4150", "Reserve Contributions"), ("4160", "Parking Revenue"), ("4170", "Storage Revenue")):
        maple.insert("accounts", number=number, name=name, type="revenue")
    for purpose, number in (("special_assessments", "4150"), ("other", "4160")):
        maple.insert("posting_accounts", purpose=purpose, account_number=number)
    maple.charge(unit, "1.00", kind="special_assessment", description="Roof")
    maple.charge(unit, "2.00", kind="other", description="Parking")
    maple.charge(unit, "3.00", kind="other", description="Storage", account="4170")
    bill(jobs)
    assert [(amount, account) for _, _, _, amount, account in lines(database)] == [
        ("250.00", "4100"), ("1.00", "4150"), ("2.00", "4160"), ("3.00", "4170"),
    ]  # fmt: skip


def test_charge_whose_account_is_closed_fails_the_association_and_names_the_account(database, jobs, maple, unit):
    maple.insert("accounts", number="4150", name="Parking Revenue", type="revenue", active=False)
    maple.charge(unit, "35.00", kind="other", description="Parking", account="4150")
    for dry_run in (True, False):
        with pytest.raises(AirflowFailException, match=r"no active account 4150 \(Parking Revenue\)"):
            bill(jobs, dry_run=dry_run)


def test_payment_made_ahead_settles_an_assessment_before_the_parking_of_the_same_invoice(
    database, jobs, maple, unit, ann
):
    maple.charge(unit, "35.00", kind="other", description="Parking")
    maple.payment(ann, "260.00", on=OCTOBER)
    assert bill(jobs).returned["credit_applied"] == "260.00"
    assert database.value("SELECT amount FROM payment_applications") == 260


# What was in force. ---------------------------------------------------------------------------------------


def test_missed_october_is_billed_at_octobers_price_and_leaves_out_a_unit_that_was_vacant_then(
    database, jobs, maple, ann
):
    raised = maple.unit("101", owner=ann, monthly_assessment=None)
    maple.charge(raised, "250.00", until=date(2025, 10, 31))
    maple.charge(raised, "275.00", since=NOVEMBER)
    rented = maple.unit("102", owner=ann, status="vacant")
    maple.unit_status(rented, "rented", since=NOVEMBER)
    bill(jobs, date(2025, 9, 1))
    outcome = bill(jobs, date(2025, 11, 3))
    assert [(unit, month, amount) for unit, _, month, amount in invoices(database)] == [
        ("101", "2025-09", "250.00"),
        ("101", "2025-10", "250.00"),
        ("101", "2025-11", "275.00"),
        ("102", "2025-11", "250.00"),
    ]
    assert "  · Unit 102 - October 2025\n    Skipped: the unit is vacant" in outcome.text


def test_status_counts_as_of_the_first_of_the_month(database, jobs, maple, unit):
    maple.unit_status(unit, "vacant", since=date(2025, 11, 2))
    maple.unit_status(unit, "rented", since=DECEMBER)
    maple.unit_status(unit, "exempt", since=date(2025, 12, 31))
    for month in (11, 12, 13):
        bill(jobs, date(2025 + (month - 1) // 12, (month - 1) % 12 + 1, 1))
    assert [month for month, _ in months(database)] == ["2025-11", "2025-12"]


# Due after it was posted. ---------------------------------------------------------------------------------


def test_what_is_billed_late_is_due_after_it_was_posted(database, jobs, maple, unit):
    database.run("UPDATE tenants SET payment_terms_days = 10")
    bill(jobs, date(2025, 9, 1))
    bill(jobs, date(2025, 11, 17))
    rows = database.rows("SELECT invoice_date, due_date FROM invoices ORDER BY number")
    assert [tuple(row.values()) for row in rows] == [
        (date(2025, 9, 1), date(2025, 9, 11)),
        (OCTOBER, date(2025, 11, 27)),
        (NOVEMBER, date(2025, 11, 27)),
    ]


# Lost first months. ---------------------------------------------------------------------------------------


def test_first_month_of_a_new_association_is_billed_once_what_made_it_fail_is_mended(database, jobs, maple, unit):
    database.run("UPDATE accounts SET active = false WHERE number = '4100'")
    bill(jobs, date(2025, 12, 20), dry_run=True, tenant=database.association("other").code)
    for day in (date(2026, 1, 1), date(2026, 2, 1)):
        with pytest.raises(AirflowFailException):
            bill(jobs, day)
    database.run("UPDATE accounts SET active = true")
    assert bill(jobs, date(2026, 2, 10), dry_run=True).returned["posted"] == 2
    bill(jobs, date(2026, 2, 10))
    assert [month for month, _ in months(database)] == ["2026-01", "2026-02"]
    bill(jobs, date(2026, 3, 1))
    assert [month for month, _ in months(database)] == ["2026-01", "2026-02", "2026-03"]


def test_first_month_is_billed_after_an_outage_that_covered_it(database, jobs, maple, unit):
    database.run("UPDATE tenants SET billing_starts_on = '2026-02-01'")
    bill(jobs, date(2026, 1, 1))
    bill(jobs, date(2026, 3, 1))
    assert [month for month, _ in months(database)] == ["2026-02", "2026-03"]


def test_failed_dry_runs_and_rehearsals_begin_nothing(database, jobs, maple, unit):
    database.run("UPDATE accounts SET active = false WHERE number = '4100'")
    with pytest.raises(AirflowFailException):
        bill(jobs, OCTOBER, dry_run=True)
    database.run(
        "INSERT INTO go_live_decisions (job, live, decided_by, reason) VALUES ('generate_invoices', false, 'x', 'x')"
    )
    with pytest.raises(AirflowFailException):
        bill(jobs, OCTOBER, run_type="scheduled")
    database.run("DELETE FROM go_live_decisions WHERE NOT live; UPDATE accounts SET active = true")
    bill(jobs)
    assert [month for month, _ in months(database)] == ["2025-11"]


def test_association_set_up_without_units_begins_with_the_month_of_its_first_unit(database, jobs, maple, ann):
    bill(jobs, OCTOBER)
    maple.unit("101", owner=ann)
    bill(jobs)
    assert [month for month, _ in months(database)] == ["2025-11"]


def test_more_than_twelve_months_from_the_billing_start_are_refused(database, jobs, maple, unit):
    database.run("UPDATE tenants SET billing_starts_on = '2024-11-01'")
    with pytest.raises(AirflowFailException, match=r"13 months are not billed \(2024-11 to 2025-11\)"):
        bill(jobs)


# What was corrected since. --------------------------------------------------------------------------------


def test_share_that_changed_after_a_void_is_named_until_the_whole_month_is_billed(database, jobs, maple, ann):
    unit = maple.unit("101")
    bob = maple.owner("Bob")
    maple.ownership(unit, ann, percentage=60)
    maple.ownership(unit, bob, percentage=40)
    bill(jobs)
    void(maple, "INV-00001")
    database.run("UPDATE ownerships SET percentage = 50")
    outcome = bill(jobs, date(2025, 11, 3))
    assert "INV-00002 is for 100.00, and should be for 125.00: void it, then run again" in outcome.text
    assert (outcome.returned["posted"], outcome.returned["exceptions"]) == (0, 2)
    void(maple, "INV-00002")
    bill(jobs, date(2025, 11, 4))
    assert sorted((owner, amount) for _, owner, _, amount in invoices(database)) == [
        ("Ann", "125.00"),
        ("Bob", "125.00"),
    ]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ("UPDATE recurring_charges SET amount = 275", "INV-00001 is for 250.00, and should be for 275.00: void it"),
        (
            "UPDATE recurring_charges SET amount = 0",
            "billed as INV-00001, but its assessment is zero: void it",
        ),
        (
            "UPDATE unit_statuses SET status = 'vacant'",
            "billed as INV-00001, but the unit is vacant: void it",
        ),
        (
            "UPDATE recurring_charges SET ends_on = '2025-10-31'",
            "billed as INV-00001, but nothing is charged in November 2025: void it",
        ),
    ],
)
def test_what_was_corrected_after_the_month_was_billed_is_named(database, jobs, maple, unit, change, named):
    bill(jobs)
    database.run(change)
    outcome = bill(jobs, date(2025, 11, 3))
    assert f"Not invoiced: {named}" in outcome.text
    assert months(database) == [("2025-11", "250.00")]


def test_charge_entered_after_its_month_was_billed_is_named_and_billed_once_the_invoice_is_void(
    database, jobs, maple, unit
):
    bill(jobs)
    maple.charge(unit, "35.00", kind="other", description="Parking", since=NOVEMBER)
    assert (
        "INV-00001 is for 250.00, and should be for 285.00: void it, then run again"
        in bill(jobs, date(2025, 11, 3)).text
    )
    void(maple, "INV-00001")
    bill(jobs, date(2025, 11, 3), dag_run_id="again")
    assert months(database) == [("2025-11", "285.00")]


def test_former_owner_who_was_billed_beside_the_new_one_is_named(database, jobs, maple, unit, ann):
    bill(jobs)
    database.run("DELETE FROM ownerships")
    bob = maple.owner("Bob")
    maple.ownership(unit, bob)
    maple.invoice(unit, bob, "250.00", on=NOVEMBER)
    outcome = bill(jobs, date(2025, 11, 3))
    assert "the month is already billed to another owner (INV-00001): void what is wrong" in outcome.text
