"""What late fees promise to owners and bookkeeper."""

import threading
import time
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import pytest
from airflow.sdk.exceptions import AirflowFailException
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.usefixtures("books_in_order")

FIRST = date(2025, 11, 1)
SIXTH = date(2025, 11, 6)


def fees(database):
    return [
        row["amount"] for row in database.rows("SELECT amount FROM invoices WHERE kind = 'late_fee' ORDER BY number")
    ]


def rule(association, **values):
    return association.insert(
        "late_fee_rules",
        **{"fee_type": "flat", "flat_amount": "25.00", "effective_from": date(2025, 1, 1)} | values,
    )


@pytest.fixture
def overdue(maple, unit, owner):
    """The November assessment of 250.00, due on the 1st."""
    return maple.invoice(unit, owner, "250.00", on=FIRST)


@pytest.fixture
def assess(jobs):
    def run(on=SIXTH, **params):
        return jobs.billing("assess_late_fees", on=on, **params)

    return run


def test_grace_of_an_assessment_billed_late_counts_from_the_day_it_was_billed(database, jobs, maple, unit, assess):
    rule(maple)
    # The run of the 1st was missed; the month was billed on the 20th, still due on the 1st.
    jobs.billing("generate_invoices", on=date(2025, 11, 20))
    assess(on=date(2025, 11, 24))
    assert fees(database) == []
    assess(on=date(2025, 11, 25))
    assert fees(database) == [Decimal("25.00")]


@pytest.mark.parametrize(
    ("grace", "day", "charged"),
    [(5, 5, 0), (5, 6, 1), (0, 1, 0), (0, 2, 1), (1, 2, 1), (2, 2, 0), (2, 3, 1)],
)
def test_grace_is_exact_to_the_day(maple, overdue, assess, grace, day, charged):
    rule(maple, grace_days=grace)
    assert assess(date(2025, 11, day)).returned["posted"] == charged


def test_days_grace_of_the_run_overrides_the_rule(maple, overdue, assess):
    rule(maple, grace_days=5)
    assert assess(days_grace=6).returned["posted"] == 0
    assert assess(date(2025, 11, 2), days_grace=0).returned["posted"] == 1


@pytest.mark.parametrize(
    ("terms", "fee"),
    [
        ({"fee_type": "flat", "flat_amount": "25.00", "percentage": 50}, "25.00"),
        ({"fee_type": "percentage", "flat_amount": 0, "percentage": "5"}, "12.53"),  # 12.525, half-up
        ({"fee_type": "both", "flat_amount": "10.00", "percentage": "5"}, "22.53"),
        ({"fee_type": "greater", "flat_amount": "10.00", "percentage": "5"}, "12.53"),
        ({"fee_type": "greater", "flat_amount": "20.00", "percentage": "5"}, "20.00"),
        ({"fee_type": "both", "flat_amount": "10.00", "percentage": "5", "fee_cap": "15.00"}, "15.00"),
        ({"fee_type": "flat", "flat_amount": "10.00", "fee_cap": "15.00"}, "10.00"),
    ],
)
def test_fee_follows_the_type_and_cap_of_the_rule(database, maple, unit, owner, assess, terms, fee):
    maple.invoice(unit, owner, "250.50", on=FIRST)
    rule(maple, **terms)
    outcome = assess()
    assert fees(database) == [Decimal(fee)]
    assert f"Late fee: ${fee}" in outcome.text
    assert ("($22.53 limited by the rule's cap)" in outcome.text) == (fee == "15.00")


@pytest.mark.parametrize(("minimum", "charged"), [("250.00", 1), ("250.01", 0)])
def test_balance_below_the_minimum_bears_no_fee(maple, overdue, assess, minimum, charged):
    rule(maple, minimum_balance=minimum)
    outcome = assess()
    assert outcome.returned["posted"] == charged
    assert ("Skipped: balance below the minimum of 250.01" in outcome.text) == (not charged)


def test_partial_payment_lowers_the_percentage(database, maple, overdue, owner, assess):
    rule(maple, fee_type="percentage", percentage=10)
    maple.apply(maple.payment(owner, "100.00", on=FIRST), overdue, "100.00", on=FIRST)
    assess()
    assert fees(database) == [Decimal("15.00")]


def test_unapplied_payments_cover_the_oldest_assessments_first(database, maple, unit, owner, assess):
    rule(maple, fee_type="percentage", percentage=10)
    maple.invoice(unit, owner, "60.00", on=date(2025, 9, 1), kind="other", period=None)
    maple.invoice(unit, owner, "250.00", on=date(2025, 10, 1))
    maple.invoice(unit, owner, "250.00", on=FIRST)
    maple.payment(owner, "110.00", on=FIRST)
    maple.payment(owner, "220.00", on=date(2025, 11, 5))
    outcome = assess()
    # Assessments of 500 are open, and 330 received: 170 of November are left. What is owed besides comes after them.
    assert fees(database) == [Decimal("17.00")]
    assert "INV-00002 - Overdue by 36 days - Balance: $0.00\n    Skipped: covered by unapplied payments" in outcome.text
    assert "Balance: $170.00 - Late fee: $17.00\n    ($250.00 open, before unapplied payments)" in outcome.text


def test_fees_fines_and_void_invoices_bear_no_fee(database, maple, unit, owner, assess):
    rule(maple, frequency="monthly")
    maple.invoice(unit, owner, "40.00", on=date(2025, 9, 1), kind="other", period=None)
    void = maple.invoice(unit, owner, "250.00", on=date(2025, 10, 1))
    maple.journal(date(2025, 10, 2), "4100", "1200", "250.00", reverses=void["journal_entry_id"])
    database.run("UPDATE invoices SET status = 'void' WHERE id = %s", void["id"])
    maple.invoice(unit, owner, "250.00", on=FIRST)
    for month in range(3):
        assess((FIRST + timedelta(days=31 * month)).replace(day=6))
    charged = database.rows("SELECT DISTINCT late_fee_of_invoice_id FROM invoices WHERE kind = 'late_fee'")
    assert len(charged) == 1
    assert fees(database) == [Decimal("25.00")] * 3


def test_fee_is_charged_once_per_invoice_or_once_per_month(database, maple, overdue, assess):
    mine = rule(maple)
    for day in (SIXTH, SIXTH + timedelta(days=1), date(2025, 12, 6)):
        outcome = assess(day)
    assert fees(database) == [Decimal("25.00")]
    assert "Skipped: already charged, INV-00002" in outcome.text
    # Switched to monthly, the month of the fee is not charged twice, the next month is.
    database.run("UPDATE late_fee_rules SET frequency = 'monthly' WHERE id = %s", mine["id"])
    assert assess(date(2025, 11, 30)).returned["posted"] == 0
    assert [assess(date(2025, 12, day)).returned["posted"] for day in (6, 7, 31)] == [1, 0, 0]
    # And back again: it has had its fee.
    database.run("UPDATE late_fee_rules SET frequency = 'once' WHERE id = %s", mine["id"])
    assert assess(date(2026, 1, 6)).returned["posted"] == 0


def test_void_fee_may_be_charged_again(database, maple, overdue, assess):
    rule(maple)
    assess()
    [fee] = database.rows("SELECT * FROM invoices WHERE kind = 'late_fee'")
    maple.journal(SIXTH, "4200", "1200", "25.00", reverses=fee["journal_entry_id"])
    database.run("UPDATE invoices SET status = 'void' WHERE id = %s", fee["id"])
    assert assess().returned["posted"] == 1


@pytest.mark.parametrize(
    ("starts_on", "ends_on", "exempt"),
    [
        (date(2025, 11, 5), date(2026, 3, 31), True),  # signed yesterday
        (SIXTH, SIXTH, True),
        (date(2025, 10, 1), date(2025, 11, 5), False),
        (date(2025, 11, 7), date(2025, 11, 30), False),
    ],
)
def test_owner_on_a_payment_plan_is_exempt(maple, overdue, owner, assess, starts_on, ends_on, exempt):
    rule(maple)
    maple.insert(
        "holds", owner_id=owner["id"], kind="payment_plan", reason="Lost his job", starts_on=starts_on, ends_on=ends_on
    )
    outcome = assess()
    assert outcome.returned["posted"] == (not exempt)
    assert (f"Skipped: exempt, payment plan until {ends_on}" in outcome.text) == exempt
    assert "Lost his job" not in outcome.text


def test_rule_does_not_charge_what_was_due_before_it_took_effect(maple, overdue, unit, owner, assess):
    rule(maple, effective_from=SIXTH, grace_days=0)
    outcome = assess()
    assert outcome.returned["posted"] == 0
    assert "Skipped: due before the rule took effect on 2025-11-06" in outcome.text
    maple.invoice(unit, owner, "250.00", on=SIXTH, period=date(2025, 12, 1))
    assert assess(date(2025, 11, 7)).returned["posted"] == 1


def test_latest_rule_in_force_wins(database, maple, overdue, assess):
    rule(maple, flat_amount="10.00", effective_from=date(2024, 1, 1))
    rule(maple, flat_amount="20.00", effective_from=date(2025, 1, 1), effective_to=SIXTH)
    rule(maple, flat_amount="30.00", effective_from=date(2025, 11, 7))
    assess()
    assert fees(database) == [Decimal("20.00")]


def test_association_without_a_rule_has_nothing_to_do(database, maple, overdue, assess):
    rule(maple, effective_to=date(2025, 11, 5))
    rule(maple, effective_from=date(2025, 11, 7))
    outcome = assess()
    assert "No fees: no late-fee rule is in force on 2025-11-06" in outcome.text
    assert "Overdue Invoices: 0\nFees Assessed: 0\nTotal Fees: $0.00" in outcome.text
    assert fees(database) == []


def test_two_rules_of_the_same_day_are_an_exception(database, maple, overdue, assess):
    rule(maple)
    rule(maple, flat_amount="30.00")
    outcome = assess()
    assert "! No fees: 2 late-fee rules took effect on the same day, 2025-01-01: end all but one" in outcome.text
    assert outcome.returned["exceptions"] == 1
    assert fees(database) == []


def test_fee_is_an_invoice_of_its_own_for_the_same_unit_and_owner(database, maple, overdue, unit, owner, assess):
    database.run("UPDATE tenants SET payment_terms_days = 10")
    rule(maple)
    assess()
    [fee] = database.rows("SELECT * FROM invoices WHERE kind = 'late_fee'")
    assert (fee["number"], fee["late_fee_of_invoice_id"]) == ("INV-00002", overdue["id"])
    assert (fee["unit_id"], fee["owner_id"]) == (unit["id"], owner["id"])
    assert (fee["invoice_date"], fee["due_date"]) == (SIXTH, date(2025, 11, 16))
    lines = database.rows(
        """
        SELECT accounts.number, debit, credit FROM journal_entry_lines
          JOIN accounts ON accounts.id = account_id WHERE entry_id = %s ORDER BY line_number
        """,
        fee["journal_entry_id"],
    )
    assert [tuple(line.values()) for line in lines] == [("1200", Decimal(25), 0), ("4200", 0, Decimal(25))]


def test_report_has_the_familiar_layout(database, maple, overdue, assess):
    rule(maple, fee_type="percentage", percentage=10)
    rule_line = "=" * 70
    assert assess().log == [
        rule_line,
        "LATE FEE ASSESSMENT",
        rule_line,
        "Run Date: 2025-11-06 12:00:00",
        "Mode: LIVE",
        "Grace Days: as set by each association's rule",
        "",
        "Found 1 overdue invoice(s)",
        "",
        "  → Unit 101 - INV-00001 - Overdue by 5 days - Balance: $250.00 - Late fee: $25.00",
        "    ✓ Assessed and notification queued",
        "",
        rule_line,
        "SUMMARY",
        rule_line,
        "Overdue Invoices: 1",
        "Fees Assessed: 1",
        "Total Fees: $25.00",
    ]


def test_notice_says_what_the_fee_is_for(database, maple, overdue, assess):
    database.run("UPDATE tenants SET payment_instructions = 'Check to Maple Court'")
    rule(maple)
    assess()
    [message] = database.rows("SELECT * FROM outbox")
    assert message["subject"] == "Late Fee Notice - Unit 101"
    for told in ("INV-00001", "INV-00002", "November 1, 2025", "$250.00", "Late Fee: $25.00", "Check to Maple Court"):
        assert told in message["text_body"]
        assert told in message["html_body"]


@pytest.mark.parametrize(
    ("preference", "email", "channel"),
    [(None, "ann@example.com", "email"), ("letter", "ann@example.com", "letter"), ("none", "ann@example.com", "letter"),
     (None, None, "letter")],
)  # fmt: skip
def test_every_fee_has_a_notice(database, maple, assess, preference, email, channel):
    rule(maple)
    owner = maple.owner(email=email)
    if preference:
        maple.insert("notification_preferences", owner_id=owner["id"], channel=preference)
    maple.invoice(maple.unit(owner=owner), owner, "250.00", on=FIRST)
    assess()
    assert database.rows("SELECT channel, state FROM outbox") == [{"channel": channel, "state": "pending"}]


def test_no_names_or_addresses_in_report_and_run_ledger(database, maple, overdue, assess):
    rule(maple)
    shown = assess().text + str(database.rows("SELECT items FROM run_tenants"))
    assert "Ann Owner" not in shown
    assert "ann@example.com" not in shown


def test_rerun_posts_nothing(database, maple, overdue, assess):
    rule(maple, frequency="monthly")
    assess(dag_run_id="first")
    before = database.snapshot()
    retried, again = assess(dag_run_id="first"), assess(dag_run_id="second")
    assert retried.returned["posted"] == again.returned["posted"] == 0
    changed = {table for table, rows in database.snapshot().items() if rows != before[table]}
    assert changed == {"runs", "run_tenants"}


def test_dry_run_shows_what_the_live_run_posts_and_changes_nothing(database, maple, overdue, unit, owner, assess):
    rule(maple, fee_type="both", percentage="1.7")
    maple.invoice(unit, owner, "133.33", on=date(2025, 10, 1))
    before = database.snapshot()
    dry = assess(dry_run=True)
    assert database.snapshot() == before
    assert "Would be assessed and the owner notified" in dry.text
    live = assess()
    assert live.returned == dry.returned
    assert [line for line in live.log if "→" in line] == [line for line in dry.log if "→" in line]


def test_two_runs_at_once_charge_once(database, jobs, maple, unit, owner):
    rule(maple)
    for month in range(1, 11):
        maple.invoice(unit, owner, "250.00", on=date(2025, month, 1))
    runs = [
        threading.Thread(
            target=type(jobs)().billing,
            args=["assess_late_fees"],
            kwargs={"on": SIXTH, "dag_run_id": f"run-{number}"},
        )
        for number in range(4)
    ]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert len(fees(database)) == database.value("SELECT count(*) FROM outbox") == 10


def test_payment_committed_while_the_run_waits_counts(database, jobs, maple, overdue, owner):
    """A person is applying a payment when the run starts: neither fails, and nothing paid in time is charged."""
    rule(maple)
    run = threading.Thread(target=jobs.billing, args=["assess_late_fees"], kwargs={"on": SIXTH})
    with database.connection.transaction():
        maple.apply(maple.payment(owner, "250.00", on=SIXTH), overdue, "250.00", on=SIXTH)
        run.start()
        _wait_for_lock(database)
    run.join()
    assert "Found 0 overdue invoice(s)" in jobs.last.text
    assert fees(database) == []


@pytest.mark.parametrize("applied", [True, False])
def test_payment_counts_from_the_day_it_was_received(database, maple, overdue, owner, assess, applied):
    rule(maple)
    payment = maple.payment(owner, "250.00", on=SIXTH + timedelta(days=1))
    if applied:
        maple.apply(payment, overdue, "250.00", on=SIXTH + timedelta(days=1))
    dry = assess(dry_run=True)
    assert assess().returned == dry.returned
    assert fees(database) == [Decimal("25.00")]
    assert "Open Balance: $250.00" in database.value("SELECT text_body FROM outbox")


def test_payment_received_in_time_counts_however_late_it_was_applied(database, maple, overdue, owner, assess):
    rule(maple)
    maple.apply(maple.payment(owner, "250.00", on=SIXTH), overdue, "250.00", on=SIXTH + timedelta(days=20))
    assert "Found 0 overdue invoice(s)" in assess().text
    assert fees(database) == []


def test_payment_after_the_fee_is_not_overwritten(database, maple, overdue, owner, assess):
    rule(maple)
    assess()
    maple.apply(maple.payment(owner, "250.00", on=SIXTH), overdue, "250.00", on=SIXTH)
    balances = database.rows("SELECT kind, balance FROM invoice_balances ORDER BY number")
    assert [tuple(row.values()) for row in balances] == [("assessment", 0), ("late_fee", Decimal("25.00"))]


def _wait_for_lock(database):
    with database.connect() as watcher:
        for _ in range(100):
            if watcher.execute("SELECT FROM pg_locks WHERE NOT granted").fetchone() is not None:
                return
            time.sleep(0.05)
    pytest.fail("the run never waited for the person's transaction")


@pytest.mark.parametrize(("account", "purpose"), [("1200", "accounts receivable"), ("4200", "late-fee revenue")])
def test_association_with_a_missing_account_fails_alone(database, maple, overdue, assess, account, purpose):
    rule(maple)
    broken = database.association("broken-brook")
    rule(broken)
    debtor = broken.owner()
    broken.invoice(broken.unit(owner=debtor), debtor, "250.00", on=FIRST)
    database.run("UPDATE accounts SET active = false WHERE number = %s AND tenant_id = %s", account, broken.tenant_id)
    with pytest.raises(AirflowFailException, match=rf"Broken Brook: no active account {account} \({purpose}\)"):
        assess()
    assert fees(database) == [Decimal("25.00")]


# The rules once more, in plain arithmetic, against whatever an association's books may hold.

cents = st.integers(1, 60_000).map(lambda amount: Decimal(amount) / 100)
terms = st.fixed_dictionaries(
    {
        "fee_type": st.sampled_from(["flat", "percentage", "both", "greater"]),
        "flat_amount": cents,
        "percentage": st.integers(1, 300_000).map(lambda share: Decimal(share) / 10_000),
        "fee_cap": st.none() | cents,
        "minimum_balance": st.just(Decimal(0)) | cents,
        "grace_days": st.integers(0, 15),
        "effective_from": st.sampled_from([date(2025, 1, 1), date(2025, 1, 1), date(2025, 10, 20)]),
    }
)
mostly = st.sampled_from([True, True, True, False])
account = st.fixed_dictionaries(
    {
        "invoices": st.lists(
            st.tuples(
                st.integers(-10, 90), cents, mostly, st.sampled_from([0, 0, Fraction(1, 3), 1]), st.sampled_from([0, 1])
            ),
            min_size=1,
            max_size=4,
        ),
        "credits": st.lists(st.tuples(cents, st.sampled_from([0, 1])), max_size=2),
    }
)


def expected_fees(terms, accounts):
    for invoices, received in accounts:
        credit = sum((amount for amount, days_late in received if days_late <= 0), Decimal(0))
        # Money settles assessments first, and of each kind what was due first.
        for due_date, _, balance, is_assessment in sorted(invoices, key=lambda invoice: (not invoice[3], invoice)):
            covered = min(credit, balance)
            credit -= covered
            left = balance - covered
            days = (SIXTH - due_date).days
            if not is_assessment or days < max(terms["grace_days"], 1) or due_date < terms["effective_from"]:
                continue
            if left == 0 or left < terms["minimum_balance"]:
                continue
            share = (left * terms["percentage"] / 100).quantize(Decimal("0.01"), ROUND_HALF_UP)
            fee = {
                "flat": terms["flat_amount"],
                "percentage": share,
                "both": terms["flat_amount"] + share,
                "greater": max(terms["flat_amount"], share),
            }[terms["fee_type"]]
            fee = min(fee, terms["fee_cap"] or fee)
            if fee:
                yield fee


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(terms=terms, accounts=st.lists(account, min_size=1, max_size=3))
def test_fees_match_plain_arithmetic(database, jobs, terms, accounts):
    number = database.value("SELECT count(*) FROM tenants")
    association = database.association(f"association-{number}")
    rule(association, **terms)
    books = []
    for position, drawn in enumerate(accounts):
        owner = association.owner()
        unit = association.unit(f"{position}", owner=owner)
        invoices = []
        for month, (age, amount, is_assessment, paid_share, days_late) in enumerate(drawn["invoices"], start=1):
            due = SIXTH - timedelta(days=age)
            of_kind = {"period": date(2024, month, 1)} if is_assessment else {"kind": "other", "period": None}
            invoice = association.invoice(unit, owner, amount, on=due, **of_kind)
            paid = (amount * paid_share.numerator / paid_share.denominator).quantize(Decimal("0.01"))
            if paid:
                received = SIXTH + timedelta(days=days_late)
                association.apply(association.payment(owner, paid, on=received), invoice, paid, on=received)
            in_time = paid if days_late <= 0 else Decimal(0)
            invoices.append((due, invoice["number"], amount - in_time, is_assessment))
        for amount, days_late in drawn["credits"]:
            association.payment(owner, amount, on=SIXTH + timedelta(days=days_late))
        books.append((invoices, drawn["credits"]))
    expected = sorted(expected_fees(terms, books))

    dry = jobs.billing("assess_late_fees", on=SIXTH, tenant=association.code, dry_run=True)
    live = jobs.billing("assess_late_fees", on=SIXTH, tenant=association.code)
    posted = database.rows(
        "SELECT amount FROM invoices WHERE kind = 'late_fee' AND tenant_id = %s ORDER BY amount", association.tenant_id
    )
    assert [row["amount"] for row in posted] == expected
    assert Decimal(live.returned["late_fees"]) == sum(expected)
    assert dry.returned == live.returned
