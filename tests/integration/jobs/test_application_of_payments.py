"""What a payment settles first: the association's order of charge kinds, in every job."""

from datetime import date
from decimal import Decimal

import pytest
from psycopg import errors

pytestmark = pytest.mark.usefixtures("books_in_order")

NOVEMBER, SIXTH, DECEMBER = date(2025, 11, 1), date(2025, 11, 6), date(2025, 12, 1)
KINDS = ("assessment", "special_assessment", "other", "interest", "late_fee", "fine")


def order(association, *kinds, since):
    """Let payments settle these kinds from a day on, the first first; a tuple of kinds shares a rank."""
    ranks = {kind: rank for rank, group in enumerate(kinds, start=1) for kind in ([group] if group in KINDS else group)}
    return association.insert("application_orders", effective_from=since, **ranks)


def bill(jobs, on=NOVEMBER, **params):
    return jobs.billing("generate_invoices", on=on, **params)


def fine(association, unit, owner, amount, *, on):
    """Post a fine by hand, with the violation and the step that it is for."""
    violation = association.violation(unit, association.violation_type(), cure_deadline=on)
    step = association.insert(
        "violation_escalations", violation_id=violation["id"], step=1, step_name="Notice 1", escalated_on=on,
        scheduled_fine=amount, fine=amount,
    )  # fmt: skip
    association.database.run("UPDATE violations SET status = 'closed' WHERE id = %s", violation["id"])
    return association.invoice(unit, owner, amount, on=on, kind="fine", period=None, violation_escalation_id=step["id"])


def open_balances(database):
    """What is open on every invoice, by number."""
    rows = database.rows("SELECT number, balance FROM invoice_balances ORDER BY number")
    return {row["number"]: str(row["balance"]) for row in rows}


def test_owner_with_an_old_unpaid_fine_and_an_open_assessment_pays_the_assessment_first(
    database, jobs, maple, unit, owner
):
    fine(maple, unit, owner, "100.00", on=date(2025, 8, 1))
    maple.invoice(unit, owner, "250.00", on=date(2025, 10, 1))
    maple.payment(owner, "300.00", on=date(2025, 10, 15))
    outcome = bill(jobs)
    assert open_balances(database) == {"INV-00001": "100.00", "INV-00002": "0.00", "INV-00003": "200.00"}
    assert "    Credit applied to earlier invoices (INV-00002): $250.00" in outcome.log


def test_late_fees_and_reminders_count_on_the_same_order(database, jobs, maple, unit, owner):
    maple.insert("late_fee_rules", fee_type="percentage", percentage=10, effective_from=date(2025, 1, 1))
    fine(maple, unit, owner, "100.00", on=date(2025, 8, 1))
    maple.invoice(unit, owner, "250.00", on=date(2025, 10, 1))
    maple.payment(owner, "240.00", on=date(2025, 10, 15))
    jobs.billing("assess_late_fees", on=SIXTH)
    assert database.value("SELECT amount FROM invoices WHERE kind = 'late_fee'") == Decimal("1.00")
    jobs.billing("send_reminders", on=date(2025, 11, 10))
    assert database.value("SELECT total_due FROM payment_reminders") == Decimal("111.00")


def test_of_kinds_with_one_rank_the_oldest_due_is_paid_first(database, jobs, maple, unit, owner):
    maple.invoice(unit, owner, "80.00", on=date(2025, 9, 1), lines=[("special_assessment", "80.00")])
    maple.invoice(unit, owner, "250.00", on=date(2025, 10, 1))
    maple.payment(owner, "100.00", on=date(2025, 10, 15))
    bill(jobs)
    assert open_balances(database) == {"INV-00001": "0.00", "INV-00002": "230.00", "INV-00003": "250.00"}


def test_order_that_changes_holds_from_its_day_on(database, jobs, maple, unit, owner):
    order(maple, "interest", "late_fee", "other", ("assessment", "special_assessment"), "fine", since=NOVEMBER)
    order(maple, "fine", "other", "interest", "late_fee", "assessment", "special_assessment", since=DECEMBER)
    fine(maple, unit, owner, "100.00", on=date(2025, 8, 1))
    maple.invoice(unit, owner, "40.00", on=date(2025, 10, 20), kind="other", period=None)
    maple.payment(owner, "50.00", on=date(2025, 10, 15))
    bill(jobs, on=date(2025, 11, 1))
    assert open_balances(database) == {"INV-00001": "100.00", "INV-00002": "0.00", "INV-00003": "240.00"}
    maple.payment(owner, "60.00", on=date(2025, 11, 15))
    bill(jobs, on=DECEMBER)
    assert open_balances(database) == {
        "INV-00001": "40.00", "INV-00002": "0.00", "INV-00003": "240.00", "INV-00004": "250.00",
    }  # fmt: skip


def test_order_of_another_association_does_not_matter(database, jobs, maple, unit, owner):
    order(database.association("oaks"), *reversed(KINDS), since=date(2020, 1, 1))
    fine(maple, unit, owner, "100.00", on=date(2025, 8, 1))
    maple.payment(owner, "100.00", on=date(2025, 10, 15))
    bill(jobs)
    assert open_balances(database) == {"INV-00001": "100.00", "INV-00002": "150.00"}


def test_invoice_of_two_kinds_is_paid_in_their_order(database, jobs, maple, unit, owner):
    """An old invoice's parking comes after a newer assessment, and its assessment before; both are one application."""
    lines = [("other", "30.00"), ("assessment", "250.00")]
    maple.invoice(unit, owner, "280.00", on=date(2025, 9, 1), lines=lines)
    maple.invoice(unit, owner, "250.00", on=date(2025, 10, 1))
    maple.payment(owner, "600.00", on=date(2025, 10, 15))
    maple.payment(owner, "160.00", on=date(2025, 10, 20))
    bill(jobs)
    assert open_balances(database) == {"INV-00001": "20.00", "INV-00002": "0.00", "INV-00003": "0.00"}
    applied = database.rows(
        """
        SELECT payments.amount AS payment, number, applications.amount
          FROM payment_applications AS applications
          JOIN payments ON payments.id = payment_id JOIN invoices ON invoices.id = invoice_id
         ORDER BY payments.amount DESC, number
        """
    )
    assert [(str(row["payment"]), row["number"], str(row["amount"])) for row in applied] == [
        ("600.00", "INV-00001", "250.00"),
        ("600.00", "INV-00002", "250.00"),
        ("600.00", "INV-00003", "100.00"),
        ("160.00", "INV-00001", "10.00"),
        ("160.00", "INV-00003", "150.00"),
    ]


def test_what_an_invoice_of_two_kinds_was_paid_has_settled_them_in_their_order(database, jobs, maple, unit, owner):
    lines = [("other", "30.00"), ("assessment", "250.00")]
    september = maple.invoice(unit, owner, "280.00", on=date(2025, 9, 1), lines=lines)
    maple.apply(maple.payment(owner, "255.00", on=date(2025, 9, 1)), september, "255.00", on=date(2025, 9, 1))
    maple.payment(owner, "260.00", on=date(2025, 10, 15))
    bill(jobs)
    assert open_balances(database) == {"INV-00001": "15.00", "INV-00002": "0.00"}


def test_payment_that_covers_two_kinds_of_an_invoice_is_applied_to_it_once(database, jobs, maple, unit, owner):
    lines = [("other", "30.00"), ("assessment", "250.00")]
    maple.invoice(unit, owner, "280.00", on=date(2025, 9, 1), lines=lines)
    maple.payment(owner, "600.00", on=date(2025, 10, 15))
    bill(jobs)
    assert [str(row["amount"]) for row in database.rows("SELECT amount FROM payment_applications ORDER BY amount")] == [
        "250.00",
        "280.00",
    ]


def test_line_that_deducts_counts_like_what_was_paid(database, jobs, maple, unit, owner):
    lines = [("assessment", "250.00"), ("other", "-20.00"), ("fine", "30.00")]
    maple.invoice(unit, owner, "260.00", on=date(2025, 9, 1), lines=lines)
    maple.payment(owner, "480.00", on=date(2025, 10, 15))
    bill(jobs)
    assert open_balances(database) == {"INV-00001": "30.00", "INV-00002": "0.00"}


@pytest.mark.parametrize("rank", [0, None])
def test_order_ranks_every_kind(maple, rank):
    with pytest.raises((errors.CheckViolation, errors.NotNullViolation)):
        maple.insert("application_orders", effective_from=NOVEMBER, **dict.fromkeys(KINDS, 1) | {"fine": rank})
