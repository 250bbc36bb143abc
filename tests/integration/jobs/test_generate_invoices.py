"""What billing promises to owners, bookkeeper and board."""

import io
import itertools
import threading
import time
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import psycopg
import pypdf
import pytest
from airflow.sdk.exceptions import AirflowFailException
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hoa_ops.database import ConnectionLostError
from hoa_ops.delivery.attachments import draw_attachment

pytestmark = pytest.mark.usefixtures("books_in_order")

NOVEMBER = date(2025, 11, 1)
ONE_DATABASE = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def bill(jobs, on=NOVEMBER, **params):
    return jobs.billing("generate_invoices", on=on, **params)


def invoices(database):
    """Unit, owner, period and amount of every assessment invoice that is not void, in the order of the numbers."""
    rows = database.rows(
        """
        SELECT unit_number, full_name, period, amount
          FROM invoices JOIN units ON units.id = unit_id JOIN owners ON owners.id = owner_id
         WHERE kind = 'assessment' AND invoices.status <> 'void' ORDER BY length(number), number
        """
    )
    return [tuple(row.values()) for row in rows]


def billed(database):
    return [(unit, str(amount)) for unit, _, _, amount in invoices(database)]


def billed_months(database):
    return sorted({period.strftime("%Y-%m") for _, _, period, _ in invoices(database)})


def applied(database):
    """Applications of credit, by payment reference and invoice number."""
    rows = database.rows(
        """
        SELECT reference, number, applications.amount
          FROM payment_applications AS applications
          JOIN payments ON payments.id = payment_id JOIN invoices ON invoices.id = invoice_id
         ORDER BY applications.id
        """
    )
    return [(row["reference"], row["number"], str(row["amount"])) for row in rows]


def void(association, invoice):
    association.journal(
        invoice["invoice_date"], "4100", "1200", invoice["amount"], reverses=invoice["journal_entry_id"]
    )
    association.database.run("UPDATE invoices SET status = 'void' WHERE id = %s", invoice["id"])


def credit(association, owner, amount, *, on=date(2025, 10, 1), reference="P"):
    payment = association.payment(owner, amount, on=on)
    association.database.run("UPDATE payments SET reference = %s WHERE id = %s", reference, payment["id"])
    return payment


@pytest.fixture
def ann(maple):
    return maple.owner("Ann")


@pytest.fixture
def unit(maple, ann):
    return maple.unit("101", owner=ann)


# What is billed to whom. ----------------------------------------------------------------------------------


def test_assessment_is_invoiced_on_the_first_with_a_balanced_entry(database, jobs, maple, unit):
    database.run("UPDATE tenants SET payment_terms_days = 10")
    outcome = bill(jobs)
    assert "  → Unit 101 - INV-00001 - November 2025 - $250.00 - due 2025-11-11" in outcome.log
    assert "    ✓ Invoiced and notification queued" in outcome.log
    [invoice] = database.rows("SELECT * FROM invoices")
    assert (invoice["invoice_date"], invoice["due_date"], invoice["period"]) == (NOVEMBER, date(2025, 11, 11), NOVEMBER)
    lines = database.rows(
        """
        SELECT accounts.number, debit, credit FROM journal_entry_lines
          JOIN accounts ON accounts.id = account_id ORDER BY line_number
        """
    )
    assert [tuple(line.values()) for line in lines] == [("1200", Decimal(250), 0), ("4100", 0, Decimal(250))]
    entry = database.rows("SELECT entry_date, description FROM journal_entries")[0]
    assert tuple(entry.values()) == (NOVEMBER, "INV-00001 - Assessment November 2025, Unit 101")


@pytest.mark.parametrize(
    ("status", "bills_vacant", "billed_units"),
    [("occupied", False, 1), ("rented", False, 1), ("vacant", False, 0), ("vacant", True, 1), ("exempt", True, 0)],
)
def test_unit_status_decides_whether_it_is_billed(database, jobs, maple, unit, status, bills_vacant, billed_units):
    database.run("UPDATE unit_statuses SET status = %s", status)
    database.run("UPDATE tenants SET bills_vacant_units = %s", bills_vacant)
    outcome = bill(jobs)
    assert len(invoices(database)) == billed_units
    assert billed_units or f"Skipped: the unit is {status}" in outcome.text


def test_one_zero_assessment_among_a_thousand_units_stops_nothing(database, jobs, maple, ann):
    for number in range(1000):
        maple.unit(f"{number:04}", owner=ann, monthly_assessment="0" if number == 500 else "100.00")
    outcome = bill(jobs)
    assert outcome.returned == {
        "associations": 1, "posted": 999, "skipped": 1, "exceptions": 0,
        "invoiced": "99900.00", "credit_applied": "0.00",
    }  # fmt: skip
    assert "Skipped: its assessment is zero" in outcome.text
    assert database.value("SELECT number FROM invoices ORDER BY number DESC LIMIT 1") == "INV-00999"


@pytest.mark.parametrize(
    ("assessment", "shares", "reason"),
    [
        ("-5.00", ["100"], "its assessment is negative: -5.00"),
        ("250.00", [], "the unit has no owner of record on 2025-11-01"),
        ("250.00", ["60", "30"], "ownership shares add up to 90 %, not 100 %"),
        ("250.00", ["60", "60"], "ownership shares add up to 120 %, not 100 %"),
    ],
)
def test_unit_that_cannot_be_billed_is_an_exception_and_the_others_are_billed(
    database, jobs, maple, unit, assessment, shares, reason
):
    odd = maple.unit("100", monthly_assessment=assessment)
    for number, share in enumerate(shares):
        maple.ownership(odd, maple.owner(f"Owner {number}"), percentage=share)
    outcome = bill(jobs)
    assert outcome.returned["exceptions"] == 1
    assert reason in outcome.text
    assert "Need Attention: 1" in outcome.log
    assert billed(database) == [("101", "250.00")]


def test_fixed_unit_is_billed_by_the_next_run_of_the_month(database, jobs, maple, unit, ann):
    odd = maple.unit("100")
    bill(jobs)
    maple.ownership(odd, ann)
    bill(jobs, on=date(2025, 11, 5))
    assert billed(database) == [("101", "250.00"), ("100", "250.00")]


def test_mid_month_sale_bills_the_owner_on_the_first(database, jobs, maple, ann):
    unit = maple.unit("101")
    maple.ownership(unit, ann, until=date(2025, 11, 14))
    maple.ownership(unit, maple.owner("Bob"), since=date(2025, 11, 15))
    bill(jobs, on=date(2025, 11, 20))
    bill(jobs, on=date(2025, 12, 1))
    assert [(owner, period.month) for _, owner, period, _ in invoices(database)] == [("Ann", 11), ("Bob", 12)]


def test_sale_on_the_first_bills_the_buyer(database, jobs, maple, ann):
    unit = maple.unit("101")
    maple.ownership(unit, ann, until=date(2025, 10, 31))
    maple.ownership(unit, maple.owner("Bob"), since=NOVEMBER)
    bill(jobs)
    assert [owner for _, owner, _, _ in invoices(database)] == ["Bob"]


def test_unit_sold_twice_in_a_month_is_billed_once(database, jobs, maple, ann):
    unit = maple.unit("101")
    maple.ownership(unit, ann, until=date(2025, 11, 9))
    maple.ownership(unit, maple.owner("Bob"), since=date(2025, 11, 10), until=date(2025, 11, 19))
    maple.ownership(unit, maple.owner("Cleo"), since=date(2025, 11, 20))
    for day in (1, 12, 25):
        bill(jobs, on=date(2025, 11, day))
    bill(jobs, on=date(2025, 12, 1))
    assert [(owner, period.month) for _, owner, period, _ in invoices(database)] == [("Ann", 11), ("Cleo", 12)]


def test_owner_record_corrected_between_two_runs_does_not_bill_the_unit_again(database, jobs, maple, unit, ann):
    bill(jobs)
    database.run("DELETE FROM ownerships")
    maple.ownership(unit, maple.owner("Bob"))
    outcome = bill(jobs, on=date(2025, 11, 2))
    assert "already billed to another owner (INV-00001): void what is wrong, then run again" in outcome.text
    assert outcome.returned["exceptions"] == 1
    assert [owner for _, owner, _, _ in invoices(database)] == ["Ann"]
    void(maple, database.rows("SELECT * FROM invoices")[0])
    bill(jobs, on=date(2025, 11, 3))
    assert [owner for _, owner, _, _ in invoices(database)] == ["Bob"]


def test_only_the_void_share_is_billed_again(database, jobs, maple, ann):
    unit = maple.unit("101")
    maple.ownership(unit, ann, percentage=40)
    maple.ownership(unit, maple.owner("Bob"), percentage=60)
    bill(jobs)
    void(maple, database.rows("SELECT * FROM invoices WHERE amount = 150")[0])
    outcome = bill(jobs, on=date(2025, 11, 3))
    assert outcome.returned["posted"] == 1
    assert "already billed: INV-00002" in outcome.text
    assert [(owner, str(amount)) for _, owner, _, amount in invoices(database)] == [
        ("Ann", "100.00"),
        ("Bob", "150.00"),
    ]


def test_share_of_less_than_a_cent_is_skipped(database, jobs, maple, ann):
    unit = maple.unit("101", monthly_assessment="1.00")
    maple.ownership(unit, ann, percentage="99.9")
    maple.ownership(unit, maple.owner("Bob"), percentage="0.1")
    assert "Skipped: the owner's share is less than a cent" in bill(jobs).text
    assert [(owner, str(amount)) for _, owner, _, amount in invoices(database)] == [("Ann", "1.00")]


PERCENTAGES = st.one_of(
    st.sampled_from(
        [["100"], ["50", "50"], ["33.3333", "33.3333", "33.3334"], ["12.5", "87.5"], ["14.2857"] * 6 + ["14.2858"]]
    ),
    st.lists(st.integers(1, 999_999), min_size=1, max_size=4, unique=True).map(
        lambda cuts: [
            str(Decimal(upper - lower).scaleb(-4)) for lower, upper in itertools.pairwise([0, *sorted(cuts), 1_000_000])
        ]
    ),
    st.lists(st.sampled_from(["10", "25", "50", "60"]), max_size=4),
)
UNITS = st.lists(
    st.fixed_dictionaries(
        {
            "status": st.sampled_from(["occupied", "rented", "vacant", "exempt"]),
            "assessment": st.integers(-100, 200_000).map(lambda cents: Decimal(cents).scaleb(-2)),
            "percentages": PERCENTAGES,
            "since": st.sampled_from([date(2020, 1, 1), date(2025, 10, 31), NOVEMBER, date(2025, 11, 2)]),
            "until": st.sampled_from([None, None, date(2025, 11, 2), NOVEMBER, date(2025, 10, 31)]),
        }
    ),
    min_size=1,
    max_size=6,
)


def expected_shares(unit, owner_ids, *, bills_vacant):
    """Who must be billed how much, worked out without SQL; None where a person must look."""
    if unit["status"] == "exempt" or (unit["status"] == "vacant" and not bills_vacant) or unit["assessment"] == 0:
        return {}
    owned = {}
    if unit["since"] <= NOVEMBER and (unit["until"] is None or unit["until"] >= NOVEMBER):
        owned = dict(zip(owner_ids, map(Decimal, unit["percentages"]), strict=True))
    if unit["assessment"] < 0 or sum(owned.values()) != 100:
        return None
    cents = {owner: int(unit["assessment"] * share) for owner, share in owned.items()}
    by_remainder = sorted(
        owned, key=lambda owner: (cents[owner] - unit["assessment"] * owned[owner], -owned[owner], owner)
    )
    for owner in by_remainder[: int(unit["assessment"] * 100) - sum(cents.values())]:
        cents[owner] += 1
    return {owner: Decimal(share).scaleb(-2) for owner, share in cents.items() if share}


_codes = itertools.count(1)


@ONE_DATABASE
@given(units=UNITS, bills_vacant=st.booleans())
def test_any_association_is_billed_as_computed_independently(database, jobs, units, bills_vacant):
    association = database.association(f"oracle-{next(_codes)}", bills_vacant_units=bills_vacant)
    expected, exceptions = {}, 0
    for number, unit in enumerate(units):
        row = association.unit(str(number), monthly_assessment=unit["assessment"], status=unit["status"])
        owners = [association.owner(f"Owner {n}") for n, _ in enumerate(unit["percentages"])]
        if unit["until"] is None or unit["until"] >= unit["since"]:
            for owner, percentage in zip(owners, unit["percentages"], strict=True):
                association.ownership(row, owner, percentage=percentage, since=unit["since"], until=unit["until"])
        shares = expected_shares(unit, [owner["id"] for owner in owners], bills_vacant=bills_vacant)
        exceptions += shares is None
        expected |= {(row["id"], owner): amount for owner, amount in (shares or {}).items()}
        assert not shares or sum(shares.values()) == unit["assessment"]
    dry = bill(jobs, tenant=association.code, dry_run=True).returned
    live = bill(jobs, tenant=association.code, dag_run_id=association.code).returned
    rows = database.rows("SELECT unit_id, owner_id, amount FROM invoices WHERE tenant_id = %s", association.tenant_id)
    assert {(row["unit_id"], row["owner_id"]): row["amount"] for row in rows} == expected
    assert live == dry
    assert (live["posted"], live["exceptions"]) == (len(expected), exceptions)


# Which months. --------------------------------------------------------------------------------------------


def test_first_run_bills_only_the_current_month(database, jobs, maple, unit):
    bill(jobs, on=date(2025, 11, 20))
    assert billed_months(database) == ["2025-11"]


def test_months_missed_in_an_outage_are_caught_up(database, jobs, maple, unit):
    bill(jobs, on=date(2025, 8, 1))
    outcome = bill(jobs, on=date(2025, 11, 17))
    assert "Billing Months: September 2025, October 2025, November 2025" in outcome.log
    assert billed_months(database) == ["2025-08", "2025-09", "2025-10", "2025-11"]
    assert len(invoices(database)) == 4


def test_skipped_month_in_between_is_caught_up_too(database, jobs, maple, unit):
    bill(jobs, on=date(2025, 8, 1))
    bill(jobs, on=NOVEMBER, billing_month="2025-11")
    assert billed_months(database) == ["2025-08", "2025-11"]
    bill(jobs, on=date(2025, 11, 2))
    assert billed_months(database) == ["2025-08", "2025-09", "2025-10", "2025-11"]


def test_february_of_a_leap_year_is_billed(database, jobs, maple, unit):
    bill(jobs, on=date(2028, 1, 31))
    bill(jobs, on=date(2028, 2, 29))
    bill(jobs, on=date(2028, 3, 1))
    assert billed_months(database) == ["2028-01", "2028-02", "2028-03"]


def test_explicit_month_is_billed_alone_and_once(database, jobs, maple, unit):
    bill(jobs)
    for dag_run_id in ("first", "second"):
        bill(jobs, billing_month="2025-03", dag_run_id=dag_run_id)
    assert billed_months(database) == ["2025-03", "2025-11"]
    # A month from before billing began does not make a gap of the months after it.
    bill(jobs, on=date(2025, 12, 1))
    assert billed_months(database) == ["2025-03", "2025-11", "2025-12"]
    assert len(invoices(database)) == 3


def test_no_month_before_billing_starts_is_billed(database, jobs, maple, unit):
    database.run("UPDATE tenants SET billing_starts_on = '2025-12-15'")
    outcome = bill(jobs)
    assert "Skipped: billing starts in December 2025" in outcome.text
    assert "Skipped: billing starts in December 2025" in bill(jobs, billing_month="2025-10").text
    assert invoices(database) == []
    bill(jobs, on=date(2026, 1, 1))
    bill(jobs, on=date(2026, 2, 1))
    assert billed_months(database) == ["2025-12", "2026-01", "2026-02"]


def test_billing_start_limits_the_catch_up(database, jobs, maple, unit):
    bill(jobs, on=date(2025, 6, 1))
    database.run("UPDATE tenants SET billing_starts_on = '2025-10-01'")
    bill(jobs)
    assert billed_months(database) == ["2025-06", "2025-10", "2025-11"]


def test_gap_of_twelve_months_is_caught_up_and_one_of_thirteen_is_refused_alone(database, jobs, maple, unit):
    elm = database.association("elm-grove")
    elm.unit("1", owner=elm.owner("Bob"))
    bill(jobs, on=date(2024, 10, 1), tenant="maple-court")
    bill(jobs, on=date(2024, 11, 1), tenant="elm-grove")
    reason = r"13 months are not billed \(2024-11 to 2025-11\), too many to catch up unasked: bill each"
    for dry_run in (True, False):
        with pytest.raises(AirflowFailException, match=reason):
            bill(jobs, dry_run=dry_run)
        assert "Maple Court could not be posted" in jobs.last.text
    assert len(invoices(database)) == 2 + 12
    bill(jobs, billing_month="2024-11", tenant="maple-court")
    bill(jobs, tenant="maple-court")
    assert len(invoices(database)) == 2 * 13 + 1


def test_month_is_that_of_the_deployment_s_time_zone(database, jobs, maple, unit):
    # New York's last hour of October, when it is November in London.
    bill(jobs, on=datetime(2025, 11, 1, 3, 30, tzinfo=ZoneInfo("UTC")))
    assert billed_months(database) == ["2025-10"]
    bill(jobs, on=datetime(2025, 11, 1, 4, 30, tzinfo=ZoneInfo("UTC")))
    assert billed_months(database) == ["2025-10", "2025-11"]


@pytest.mark.parametrize("status", ["trial", "suspended", "inactive"])
def test_inactive_association_is_not_billed(database, jobs, maple, unit, status):
    database.run("UPDATE tenants SET status = %s", status)
    assert bill(jobs).returned["associations"] == 0
    assert invoices(database) == []
    database.run("UPDATE tenants SET status = 'active'")
    bill(jobs, on=date(2025, 12, 1))
    assert billed_months(database) == ["2025-12"]


def test_association_back_from_suspension_is_caught_up_from_its_billing_start(database, jobs, maple, unit):
    bill(jobs, on=date(2025, 7, 1))
    database.run("UPDATE tenants SET status = 'suspended'")
    for month in (8, 9, 10):
        bill(jobs, on=date(2025, month, 1))
    database.run("UPDATE tenants SET status = 'active', billing_starts_on = '2025-10-01'")
    bill(jobs)
    assert billed_months(database) == ["2025-07", "2025-10", "2025-11"]


def test_future_month_is_refused_live_and_shown_by_a_dry_run(database, jobs, maple, unit):
    with pytest.raises(AirflowFailException, match=r"billing_month 2025-12 has not begun on 2025-11-01"):
        bill(jobs, billing_month="2025-12")
    assert bill(jobs, billing_month="2025-12", dry_run=True).returned["invoiced"] == "250.00"
    assert invoices(database) == []


# Credit. --------------------------------------------------------------------------------------------------


def test_credit_pays_the_oldest_invoice_first_with_the_oldest_payment(database, jobs, maple, unit, ann):
    maple.invoice(unit, ann, "30.00", on=date(2025, 9, 1))
    credit(maple, ann, "300.00", on=date(2025, 10, 20), reference="newer")
    credit(maple, ann, "50.00", on=date(2025, 10, 2), reference="older")
    outcome = bill(jobs)
    assert applied(database) == [
        ("older", "INV-00001", "30.00"),
        ("older", "INV-00002", "20.00"),
        ("newer", "INV-00002", "230.00"),
    ]
    assert "    Credit applied: $250.00 - balance due: $0.00" in outcome.log
    assert "    Credit applied to earlier invoices (INV-00001): $30.00" in outcome.log
    assert "Credit Applied: $280.00" in outcome.log
    assert outcome.returned["credit_applied"] == "280.00"
    entries = database.rows("SELECT * FROM journal_entries WHERE source = 'credit_application' ORDER BY entry_number")
    assert [(row["description"], row["entry_date"]) for row in entries] == [
        ("Credit applied to INV-00001", NOVEMBER),
        ("Credit applied to INV-00002", NOVEMBER),
        ("Credit applied to INV-00002", NOVEMBER),
    ]
    assert "No payment is due." in database.value("SELECT text_body FROM outbox")


def test_credit_of_owners_who_are_not_billed_stays(database, jobs, maple, unit):
    bob = maple.owner("Bob")
    maple.invoice(maple.unit("7", owner=bob, status="exempt"), bob, "30.00", on=date(2025, 9, 1))
    credit(maple, bob, "50.00")
    bill(jobs)
    assert applied(database) == []


def test_later_and_returned_payments_are_not_credit(database, jobs, maple, unit, ann):
    credit(maple, ann, "50.00", on=date(2025, 11, 2))
    returned = credit(maple, ann, "70.00")
    database.run("UPDATE payments SET status = 'returned' WHERE id = %s", returned["id"])
    maple.journal(NOVEMBER, "2200", "1000", "70.00", reverses=returned["journal_entry_id"])
    bill(jobs)
    assert applied(database) == []


def test_credit_needs_the_prepayments_account(database, jobs, maple, unit, ann):
    credit(maple, ann, "50.00")
    database.run("UPDATE accounts SET active = false WHERE number = '2200'")
    for dry_run in (True, False):
        with pytest.raises(AirflowFailException, match=r"no active account 2200 \(owner prepayments\)"):
            bill(jobs, dry_run=dry_run)
    assert invoices(database) == []


AMOUNTS = st.integers(1, 40_000).map(lambda cents: Decimal(cents).scaleb(-2))
DAYS = st.dates(date(2025, 7, 1), date(2025, 12, 31))


@ONE_DATABASE
@given(
    earlier=st.lists(st.tuples(AMOUNTS, DAYS), max_size=4, unique_by=lambda invoice: invoice[1].month),
    payments=st.lists(st.tuples(AMOUNTS, DAYS), max_size=4),
    units=st.integers(1, 3),
)
def test_any_credit_is_applied_as_computed_independently(database, jobs, earlier, payments, units):
    association = database.association(f"credit-{next(_codes)}", payment_terms_days=15)
    owner = association.owner()
    other = association.unit("other", owner=owner, status="exempt")
    owed = [
        [due, due, row["number"], amount]
        for amount, due in earlier
        for row in [association.invoice(other, owner, amount, on=due)]
        if due <= NOVEMBER
    ]
    numbers = [f"INV-{len(earlier) + number:05}" for number in range(1, units + 1)]
    owed += [[date(2025, 11, 16), NOVEMBER, number, Decimal("99.99")] for number in numbers]
    for number in range(units):
        association.unit(f"{number}", owner=owner, monthly_assessment="99.99")
    for amount, on in payments:
        credit(association, owner, amount, on=on)
    expected = []
    for received, _ in sorted(
        (payment for payment in payments if payment[1] <= NOVEMBER), key=lambda payment: payment[1]
    ):
        left = received
        for invoice in sorted(owed):
            covered = min(left, invoice[3])
            if covered:
                expected.append((invoice[2], covered))
                invoice[3] -= covered
                left -= covered
    dry = bill(jobs, tenant=association.code, dry_run=True)
    live = bill(jobs, tenant=association.code, dag_run_id=association.code)
    rows = database.rows(
        """
        SELECT number, applications.amount
          FROM payment_applications AS applications JOIN invoices ON invoices.id = invoice_id
          JOIN payments ON payments.id = payment_id
         WHERE applications.tenant_id = %s ORDER BY received_on, payments.id, due_date, invoice_date, number
        """,
        association.tenant_id,
    )
    assert [tuple(row.values()) for row in rows] == expected
    assert live.returned == dry.returned
    assert Decimal(live.returned["credit_applied"]) == sum(amount for _, amount in expected)


# Again, at once, in the middle. ---------------------------------------------------------------------------


def test_rerun_posts_nothing(database, jobs, maple, unit, ann):
    credit(maple, ann, "300.00")
    bill(jobs, dag_run_id="first")
    before = database.snapshot()
    retried = bill(jobs, dag_run_id="first")
    again = bill(jobs, on=date(2025, 11, 30), dag_run_id="second")
    assert retried.returned["posted"] == again.returned["posted"] == 0
    assert again.returned["skipped"] == 1
    assert "Skipped: already billed: INV-00001" in again.text
    changed = {table for table, rows in database.snapshot().items() if rows != before[table]}
    assert changed == {"runs", "run_tenants"}


def test_dry_run_shows_what_the_live_run_posts_and_changes_nothing(database, jobs, maple, unit, ann):
    bill(jobs, on=date(2025, 9, 1))
    maple.unit("102")
    maple.unit("103", owner=ann, monthly_assessment="33.33")
    credit(maple, ann, "60.00")
    before = database.snapshot()
    dry = bill(jobs, dry_run=True)
    assert database.snapshot() == before
    assert "    Would be invoiced and the owner notified" in dry.log
    live = bill(jobs)
    assert live.returned == dry.returned
    numbers = [row["number"] for row in database.rows("SELECT number FROM invoices ORDER BY number")]
    without_numbers = "\n".join(live.log)
    for number in numbers[1:]:
        without_numbers = without_numbers.replace(f" - {number}", "")
    shown = [line for line in dry.log if line.startswith("  →")]
    assert [line for line in without_numbers.splitlines() if line.startswith("  →")] == shown


def test_two_runs_at_once_bill_once(database, jobs, maple, ann):
    for number in range(50):
        maple.unit(f"{number:02}", owner=ann)
    credit(maple, ann, "1000.00")
    runs = [
        threading.Thread(target=bill, args=(type(jobs)(),), kwargs={"dag_run_id": f"run-{number}"})
        for number in range(4)
    ]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    numbers = database.rows("SELECT number FROM invoices ORDER BY number")
    assert [row["number"] for row in numbers] == [f"INV-{number:05}" for number in range(1, 51)]
    assert database.value("SELECT sum(amount) FROM payment_applications") == Decimal("1000.00")
    assert database.value("SELECT count(*) FROM outbox") == 50


def test_numbers_continue_past_99_999(database, jobs, maple, ann):
    database.run("INSERT INTO document_counters VALUES (%s, 'invoice', 99998)", maple.tenant_id)
    for number in range(3):
        maple.unit(f"{number}", owner=ann)
    credit(maple, ann, "400.00")
    bill(jobs)
    numbers = database.rows("SELECT number FROM invoices ORDER BY length(number), number")
    assert [row["number"] for row in numbers] == ["INV-99999", "INV-100000", "INV-100001"]
    assert [number for _, number, _ in applied(database)] == ["INV-99999", "INV-100000"]
    bill(jobs, on=date(2025, 12, 1))
    assert database.value("SELECT max(length(number)) FROM invoices WHERE period = '2025-12-01'") == 10


def test_manually_assigned_number_does_no_harm(database, jobs, maple, unit, ann):
    maple.invoice(unit, ann, "1.00", on=date(2025, 9, 1), number="2025/ADJ-7")
    bill(jobs)
    assert database.value("SELECT number FROM invoices WHERE period = '2025-11-01'") == "INV-00001"


@contextmanager
def held(database, statement, *parameters):
    """Keep a person's transaction open in the middle; it ends with the block."""
    with database.connect(autocommit=False) as connection:
        connection.execute(statement, parameters)
        yield connection


WAITING = """
    SELECT activity.pid FROM pg_stat_activity AS activity
      JOIN pg_locks ON pg_locks.pid = activity.pid AND NOT granted
     WHERE datname = current_database()
    """


def started(database, target, *arguments):
    """Start a thread and wait until it waits for a lock in the database."""
    failures = []

    def work():
        try:
            target(*arguments)
        except Exception as error:  # noqa: BLE001 - handed to the test
            failures.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    deadline = time.monotonic() + 20
    while not database.value(f"SELECT count(*) FROM ({WAITING}) AS waiting"):
        assert time.monotonic() < deadline
        assert thread.is_alive(), failures
        time.sleep(0.01)
    thread.failures = failures
    return thread


@pytest.mark.parametrize("moment", ["document_counters", "run_tenants"])
def test_run_killed_midway_and_retried_bills_once(database, jobs, maple, unit, ann, moment):
    """Before anything is posted, and after everything is but before the commit."""
    credit(maple, ann, "60.00")
    before = database.snapshot()
    with held(database, f"LOCK {moment} IN EXCLUSIVE MODE"):
        run = started(database, bill, jobs)
        with database.connect(database.worker_dsn) as worker:
            worker.execute(f"SELECT pg_terminate_backend(pid) FROM ({WAITING}) AS waiting")
        run.join()
    assert isinstance(run.failures[0], ConnectionLostError)
    assert database.snapshot() == before | {"runs": 1}
    bill(jobs)
    assert billed(database) == [("101", "250.00")]
    assert applied(database) == [("P", "INV-00001", "60.00")]


def test_run_waits_for_a_person_who_applies_the_same_payment_and_takes_what_is_left(database, jobs, maple, unit, ann):
    old = maple.invoice(unit, ann, "80.00", on=date(2025, 9, 1))
    payment = credit(maple, ann, "100.00")
    entry = maple.journal(NOVEMBER, "2200", "1200", "80.00")
    with held(
        database,
        """
        INSERT INTO payment_applications (tenant_id, payment_id, invoice_id, amount, applied_on, journal_entry_id)
        VALUES (%s, %s, %s, 80, '2025-11-01', %s)
        """,
        *(maple.tenant_id, payment["id"], old["id"], entry),
    ):
        run = started(database, bill, jobs)
    run.join()
    assert run.failures == []
    assert applied(database) == [("P", "INV-00001", "80.00"), ("P", "INV-00002", "20.00")]


def test_person_who_comes_second_waits_and_cannot_apply_the_payment_again(database, jobs, maple, unit, ann):
    old = maple.invoice(unit, ann, "80.00", on=date(2025, 9, 1))
    payment = credit(maple, ann, "100.00")
    person = database.connect()
    statement = """
        INSERT INTO payment_applications (tenant_id, payment_id, invoice_id, amount, applied_on, journal_entry_id)
        SELECT tenant_id, %s, %s, 80, '2025-11-01', id FROM journal_entries LIMIT 1
        """
    with held(database, "LOCK run_tenants IN EXCLUSIVE MODE"):
        run = started(database, bill, jobs)
        attempt = threading.Thread(
            target=lambda: refusals.append(_refusal(person, statement, payment["id"], old["id"]))
        )
        refusals = []
        attempt.start()
        time.sleep(0.3)
        assert attempt.is_alive()
    run.join()
    attempt.join()
    person.close()
    assert run.failures == []
    assert "cannot cover" in str(refusals[0])
    assert applied(database) == [("P", "INV-00001", "80.00"), ("P", "INV-00002", "20.00")]


def _refusal(connection, statement, *parameters):
    try:
        connection.execute(statement, parameters)
    except psycopg.Error as error:
        return error
    return None


def test_people_who_post_during_a_run_neither_fail_nor_wait_long(database, jobs, maple, ann):
    for number in range(1000):
        maple.unit(f"{number:04}", owner=ann)
    extra = maple.unit("extra", owner=ann, status="exempt")
    run = threading.Thread(target=bill, args=(jobs,))
    longest, posted = timedelta(), 0
    run.start()
    while run.is_alive() or posted < 3:
        begun = time.monotonic()
        maple.invoice(extra, ann, "1.00", on=date(2020, 1, 1) + timedelta(days=31 * posted))
        maple.payment(ann, "5.00", on=NOVEMBER)
        longest = max(longest, timedelta(seconds=time.monotonic() - begun))
        posted += 1
    run.join()
    assert longest < timedelta(seconds=10)
    assert len(invoices(database)) == 1000 + posted


def test_association_without_a_revenue_account_fails_alone_and_is_named(database, jobs, maple, unit):
    broken = database.association("broken-brook")
    broken.unit(owner=broken.owner())
    database.run("UPDATE accounts SET active = false WHERE number = '4100' AND tenant_id = %s", broken.tenant_id)
    with pytest.raises(AirflowFailException, match=r"no active account 4100 \(assessment revenue\)"):
        bill(jobs)
    assert "Broken Brook could not be posted" in jobs.last.text
    assert billed(database) == [("101", "250.00")]
    with pytest.raises(AirflowFailException, match="no active account 4100"):
        bill(jobs, dry_run=True)


# Mails. ---------------------------------------------------------------------------------------------------


def test_owner_gets_the_invoice_by_mail_with_its_pdf(database, jobs, maple, unit, ann):
    database.run("UPDATE tenants SET payment_instructions = 'Pay at <1 Main Street>.', payment_terms_days = 9")
    credit(maple, ann, "50.00")
    bill(jobs)
    [message] = database.rows("SELECT * FROM outbox")
    assert message["subject"] == "Invoice INV-00001 - Maple Court"
    for fact in (
        "Ann",
        "Unit 101",
        "$250.00",
        "-$50.00",
        "Balance Due: $200.00",
        "November 10, 2025",
        "Pay at <1 Main Street>.",
    ):
        assert fact in message["text_body"]
    assert "Pay at &lt;1 Main Street&gt;." in message["html_body"]
    attachment = draw_attachment(message)
    assert attachment.filename == "INV-00001.pdf"
    text = pypdf.PdfReader(io.BytesIO(attachment.content)).pages[0].extract_text()
    for fact in (
        "Maple Court",
        "INV-00001",
        "Ann",
        "Assessment November 2025",
        "-$50.00",
        "$200.00",
        "November 10, 2025",
    ):
        assert fact in text


@pytest.mark.parametrize(
    ("preference", "email", "channel", "state"),
    [(None, "ann@example.com", "email", "pending"), ("letter", "ann@example.com", "letter", "pending"),
     ("none", "ann@example.com", "email", "suppressed"), (None, None, "letter", "pending")],
)  # fmt: skip
def test_owner_is_notified_by_preference(database, jobs, maple, preference, email, channel, state):
    owner = maple.owner(email=email)
    maple.unit(owner=owner)
    if preference:
        maple.insert("notification_preferences", owner_id=owner["id"], channel=preference)
    bill(jobs)
    assert [tuple(row.values()) for row in database.rows("SELECT channel, state FROM outbox")] == [(channel, state)]


def test_association_that_does_not_email_invoices_sends_none(database, jobs, maple, unit):
    database.run("UPDATE tenants SET emails_invoices = false")
    assert bill(jobs).returned["posted"] == 1
    assert database.value("SELECT count(*) FROM outbox") == 0


def test_no_personal_data_in_plan_log_and_return_value(database, jobs, maple):
    owner = maple.owner("Zaphod Beeblebrox", email="zaphod@example.com")
    maple.unit(owner=owner)
    credit(maple, owner, "50.00")
    outcome = bill(jobs)
    kept = outcome.text + str(outcome.returned) + str(database.rows("SELECT items FROM run_tenants"))
    for personal in ("Zaphod", "zaphod@", "Main Street"):
        assert personal not in kept
