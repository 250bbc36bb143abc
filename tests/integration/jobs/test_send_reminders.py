"""What reminders promise: one per owner, firmer with time, never to somebody who owes nothing."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hoa_ops.database import Database
from hoa_ops.delivery.mail_server import Answer, Verdict
from hoa_ops.delivery.outbox import Delivery
from hoa_ops.settings import get_settings

pytestmark = pytest.mark.usefixtures("books_in_order")

FIRST = date(2025, 11, 1)
MONDAY = date(2025, 11, 10)


class Postman:
    """A mail server that takes everything and remembers to whom it went."""

    def __init__(self):
        self.delivered = []

    def open(self):
        pass

    def close(self):
        pass

    def hand_over(self, message, _attachment=None):
        self.delivered.append(message["recipient_address"])
        return Answer(Verdict.SENT, "250")


@pytest.fixture
def deliver(database):
    def run():
        postman = Postman()
        with Database("hoa_ops_db") as worker:
            Delivery(worker, postman, get_settings()).run()
        return postman.delivered

    return run


@pytest.fixture
def overdue(maple, unit, owner):
    """The November assessment of 250.00, due on the 1st."""
    return maple.invoice(unit, owner, "250.00", on=FIRST)


@pytest.fixture
def was_reminded(maple):
    """Record that an owner got a reminder, before messages were kept here."""

    def record(owner, stage, *, on):
        return maple.insert(
            "payment_reminders",
            owner_id=owner["id"],
            reminded_on=on,
            stage=stage,
            stage_name="",
            total_due=1,
            days_overdue=1,
            invoice_count=1,
        )

    return record


@pytest.fixture
def remind(jobs):
    def run(on=MONDAY, **params):
        return jobs.billing("send_reminders", on=on, **params)

    return run


def test_owner_gets_one_reminder_for_all_units_and_invoices(database, maple, unit, owner, remind):
    second = maple.unit("102", owner=owner)
    maple.invoice(unit, owner, "250.00", on=date(2025, 10, 1))
    maple.invoice(second, owner, "300.00", on=FIRST)
    maple.invoice(unit, owner, "40.00", on=FIRST, kind="other", period=None)
    maple.invoice(unit, owner, "250.00", on=FIRST, due=date(2025, 11, 30))
    outcome = remind()
    [reminder] = database.rows("SELECT * FROM payment_reminders")
    assert (reminder["total_due"], reminder["invoice_count"]) == (Decimal("590.00"), 3)
    assert (reminder["days_overdue"], reminder["stage"], reminder["stage_name"]) == (40, 1, "friendly")
    [message] = database.rows("SELECT * FROM outbox")
    for told in ("INV-00001", "INV-00002", "INV-00003", "October 1, 2025", "$590.00"):
        assert told in message["text_body"]
        assert told in message["html_body"]
    assert "INV-00004" not in message["text_body"]
    assert (
        "→ Unit 101, 102 - 3 invoice(s) - Overdue by 40 days - Total due: $590.00 - Stage 1 (friendly)" in outcome.text
    )
    assert "Owners Overdue: 1\nReminders: 1\nTotal Due: $590.00" in outcome.text


@pytest.mark.parametrize(
    ("days", "subject", "tone"),
    [
        (1, "Payment Reminder - Maple Court", "friendly reminder that the following invoice is past due"),
        (29, "Payment Reminder - Maple Court", "friendly reminder"),
        (30, "Payment Overdue - Maple Court", "Your account is 30 days overdue"),
        (59, "Payment Overdue - Maple Court", "59 days overdue"),
        (60, "Final Notice - Maple Court", "FINAL NOTICE: your account is 60 days overdue"),
    ],
)
def test_tone_gets_firmer_with_the_days_overdue(
    database, maple, unit, owner, remind, was_reminded, days, subject, tone
):
    maple.invoice(unit, owner, "250.00", on=MONDAY - timedelta(days=days))
    for stage in (1, 2):
        was_reminded(owner, stage, on=MONDAY - timedelta(days=8 - stage))
    remind()
    [message] = database.rows("SELECT * FROM outbox")
    assert message["subject"] == subject
    assert tone in message["text_body"]
    assert tone in message["html_body"]


def stages(database):
    return [row["stage"] for row in database.rows("SELECT stage FROM payment_reminders ORDER BY reminded_on")]


def test_owner_whose_hold_ends_after_months_is_first_reminded_in_a_friendly_tone(
    database, maple, unit, owner, remind, deliver
):
    maple.invoice(unit, owner, "250.00", on=date(2025, 8, 1))
    maple.insert("holds", owner_id=owner["id"], kind="dispute", reason="Says he paid", starts_on=date(2025, 7, 1),
                 ends_on=date(2025, 10, 20))  # fmt: skip
    for monday in (20, 27):
        remind(date(2025, 10, monday))
    [reminder] = database.rows("SELECT reminded_on, days_overdue, stage_name FROM payment_reminders")
    assert tuple(reminder.values()) == (date(2025, 10, 27), 87, "friendly")


def test_tone_climbs_one_stage_at_a_time(database, maple, unit, owner, remind, deliver):
    maple.invoice(unit, owner, "250.00", on=date(2025, 8, 1))
    for week in range(5):
        remind(MONDAY + timedelta(weeks=week))
        deliver()
    assert stages(database) == [1, 2, 3, 3, 3]


def test_tone_does_not_climb_before_its_days(database, maple, unit, owner, remind, deliver):
    maple.invoice(unit, owner, "250.00", on=MONDAY - timedelta(days=9))
    for week in range(10):
        remind(MONDAY + timedelta(weeks=week))
        deliver()
    assert stages(database) == [1] * 3 + [2] * 5 + [3] * 2


def test_after_a_hold_the_tone_goes_on_where_it_stood(database, maple, unit, owner, remind, deliver):
    maple.invoice(unit, owner, "250.00", on=date(2025, 8, 1))
    remind(date(2025, 8, 11))
    deliver()
    maple.insert("holds", owner_id=owner["id"], kind="payment_plan", reason="Agreed", starts_on=date(2025, 8, 12),
                 ends_on=date(2025, 10, 20))  # fmt: skip
    for monday in (20, 27):
        remind(date(2025, 10, monday))
    assert stages(database) == [1, 2]


def test_tone_starts_again_once_all_that_the_owner_was_reminded_of_is_paid(
    database, maple, unit, owner, remind, deliver
):
    maple.invoice(unit, owner, "250.00", on=date(2025, 8, 1))
    for monday in (date(2025, 10, 6), date(2025, 10, 13)):
        remind(monday)
        deliver()
    maple.payment(owner, "250.00", on=date(2025, 10, 14))
    maple.invoice(unit, owner, "250.00", on=date(2025, 10, 15))
    for monday in (date(2025, 12, 1), date(2025, 12, 8)):
        remind(monday)
        deliver()
    assert stages(database) == [1, 2, 1, 2]


@pytest.mark.parametrize("state", ["pending", "failed", "canceled", "obsolete"])
def test_reminder_that_did_not_go_out_leads_to_no_firmer_one(database, maple, unit, owner, remind, state):
    maple.invoice(unit, owner, "250.00", on=date(2025, 8, 1))
    remind()
    database.run("UPDATE outbox SET state = %s", state)
    remind(MONDAY + timedelta(weeks=1))
    assert stages(database) == [1, 1]


def test_of_reminders_that_wait_for_the_mail_server_one_leaves(database, maple, unit, owner, remind, deliver):
    neighbor = maple.owner("Bob", email="bob@example.com")
    maple.invoice(unit, owner, "250.00", on=date(2025, 8, 1))
    remind(MONDAY - timedelta(weeks=1))
    maple.invoice(maple.unit("102", owner=neighbor), neighbor, "250.00", on=FIRST)
    for week in (0, 1):
        remind(MONDAY + timedelta(weeks=week))
    assert sorted(deliver()) == ["ann@example.com", "bob@example.com"]
    told = database.rows("SELECT state, text_body FROM outbox WHERE recipient_id = %s ORDER BY id", owner["id"])
    assert [message["state"] for message in told] == ["obsolete", "obsolete", "sent"]
    assert "Total Due as of November 17, 2025" in told[-1]["text_body"]


def test_of_reminder_letters_that_wait_to_be_printed_one_is_left(database, maple, unit, owner, remind):
    maple.insert("notification_preferences", owner_id=owner["id"], channel="letter")
    maple.invoice(unit, owner, "250.00", on=date(2025, 8, 1))
    for week in range(3):
        remind(MONDAY + timedelta(weeks=week))
    states = database.rows("SELECT channel, state FROM outbox ORDER BY id")
    assert [tuple(row.values()) for row in states] == [("letter", "obsolete")] * 2 + [("letter", "pending")]


def test_a_newer_reminder_replaces_none_that_may_have_arrived(database, maple, overdue, remind):
    for week, state in enumerate(("sent", "uncertain", "suppressed")):
        remind(MONDAY + timedelta(weeks=week))
        database.run("UPDATE outbox SET state = %s WHERE state = 'pending'", state)
    remind(MONDAY + timedelta(weeks=3))
    states = database.rows("SELECT state FROM outbox ORDER BY id")
    assert [row["state"] for row in states] == ["sent", "uncertain", "suppressed", "pending"]


def test_reminder_that_a_delivery_has_claimed_but_not_handed_over_is_replaced(database, maple, overdue, remind):
    remind()
    database.run("UPDATE outbox SET state = 'sending', claimed_at = now(), claimed_by = id")
    remind(MONDAY + timedelta(weeks=1))
    assert [row["state"] for row in database.rows("SELECT state FROM outbox ORDER BY id")] == ["obsolete", "pending"]


def test_units_are_listed_in_natural_order(maple, owner, remind):
    for number in ("10", "9", "100"):
        maple.invoice(maple.unit(number, owner=owner), owner, "250.00", on=FIRST)
    neighbor = maple.owner("Bob")
    maple.invoice(maple.unit("2", owner=neighbor), neighbor, "250.00", on=FIRST)
    text = remind().text
    assert text.index("Unit 2 -") < text.index("Unit 9, 10, 100 -")


def test_owner_with_nothing_overdue_is_not_reminded(maple, unit, owner, remind):
    maple.invoice(unit, owner, "250.00", on=FIRST, due=MONDAY)
    assert "Found 0 owner(s) with overdue invoices" in remind().text


def test_stages_of_the_association_replace_the_default(database, maple, overdue, remind):
    maple.insert("reminder_stages", stage=1, name="nudge", days_overdue=10)
    maple.insert("reminder_stages", stage=2, name="lawyer", days_overdue=20)
    outcome = remind()
    assert outcome.returned["posted"] == 0
    assert "Skipped: no reminder before 10 days overdue" in outcome.text
    for day, stage in ((11, "nudge"), (21, "lawyer")):
        remind(date(2025, 11, day))
        database.run("UPDATE outbox SET state = 'sent'")
        assert database.value("SELECT stage_name FROM payment_reminders ORDER BY id DESC LIMIT 1") == stage


@pytest.mark.parametrize(("cooldown", "days", "again"), [(None, 5, 0), (None, 6, 1), (14, 13, 0), (14, 14, 1)])
def test_no_second_reminder_within_the_cooldown(database, maple, overdue, remind, cooldown, days, again):
    database.run("UPDATE tenants SET reminder_cooldown_days = %s", cooldown)
    remind()
    outcome = remind(MONDAY + timedelta(days=days))
    assert outcome.returned["posted"] == again
    if not again:
        not_before = MONDAY + timedelta(days=cooldown or 6)
        assert f"Skipped: reminded on 2025-11-10, not again before {not_before}" in outcome.text


@pytest.mark.parametrize(
    ("starts_on", "ends_on", "skipped"),
    [
        (MONDAY - timedelta(days=1), date(2026, 3, 31), True),  # signed yesterday
        (MONDAY, MONDAY, True),
        (FIRST, MONDAY - timedelta(days=1), False),
    ],
)
def test_owner_on_hold_is_skipped(maple, overdue, owner, remind, starts_on, ends_on, skipped):
    maple.insert(
        "holds", owner_id=owner["id"], kind="dispute", reason="Says he paid", starts_on=starts_on, ends_on=ends_on
    )
    outcome = remind()
    assert outcome.returned["posted"] == (not skipped)
    assert (f"Skipped: exempt, dispute until {ends_on}" in outcome.text) == skipped


def test_credit_is_counted_before_anything_is_overdue(database, maple, overdue, unit, owner, remind):
    paid_ahead = maple.owner("Bob")
    maple.invoice(maple.unit("102", owner=paid_ahead), paid_ahead, "250.00", on=FIRST)
    maple.payment(paid_ahead, "250.00", on=FIRST)
    maple.payment(owner, "100.00", on=FIRST)
    outcome = remind()
    assert "Found 1 owner(s)" in outcome.text
    [message] = database.rows("SELECT * FROM outbox")
    assert message["recipient_id"] == owner["id"]
    assert "Total Due as of November 10, 2025: $150.00" in message["text_body"]


def test_invoice_that_credits_cover_is_not_listed(database, maple, overdue, unit, owner, remind):
    maple.invoice(unit, owner, "250.00", on=date(2025, 10, 1))
    maple.payment(owner, "260.00", on=FIRST)
    remind()
    [message] = database.rows("SELECT * FROM outbox")
    assert "INV-00002" not in message["text_body"]
    assert "$240.00" in message["text_body"]
    assert database.value("SELECT days_overdue FROM payment_reminders") == 9


@pytest.mark.parametrize(
    ("preference", "email", "channel", "state", "said"),
    [
        (None, "ann@example.com", "email", "pending", "notification queued"),
        ("letter", "ann@example.com", "letter", "pending", "letter queued for printing"),
        ("none", "ann@example.com", "email", "suppressed", "no notification wanted"),
        (None, None, "letter", "pending", "letter queued for printing"),
    ],
)
def test_reminder_goes_out_by_the_owner_s_preference(
    database, maple, overdue, owner, remind, preference, email, channel, state, said
):
    database.run("UPDATE owners SET email = %s", email)
    if preference:
        maple.insert("notification_preferences", owner_id=owner["id"], channel=preference)
    assert f"✓ Recorded and {said}" in remind().text
    assert database.rows("SELECT channel, state FROM outbox") == [{"channel": channel, "state": state}]


def test_reminder_is_sent_while_it_is_true(database, maple, overdue, owner, remind, deliver):
    remind()
    maple.payment(owner, "249.99", on=MONDAY)
    assert deliver() == ["ann@example.com"]
    assert database.value("SELECT state FROM outbox") == "sent"


@pytest.mark.parametrize("applied", [True, False])
def test_paid_between_queueing_and_sending_is_not_reminded(database, maple, overdue, owner, remind, deliver, applied):
    remind()
    payment = maple.payment(owner, "250.00", on=MONDAY)
    if applied:
        maple.apply(payment, overdue, "250.00", on=MONDAY)
    assert deliver() == []
    assert database.value("SELECT state FROM outbox") == "obsolete"


def test_payment_received_between_the_run_and_sending_is_in_time(database, maple, overdue, owner, remind, deliver):
    remind()
    maple.payment(owner, "250.00", on=MONDAY + timedelta(days=2))
    assert deliver() == []


@pytest.mark.parametrize("applied", [True, False])
def test_payment_counts_from_the_day_it_was_received(database, maple, overdue, owner, remind, deliver, applied):
    ahead = datetime.now(UTC).date() + timedelta(days=30)
    payment = maple.payment(owner, "250.00", on=ahead)
    if applied:
        maple.apply(payment, overdue, "250.00", on=ahead)
    dry = remind(dry_run=True)
    assert remind().returned == dry.returned
    assert deliver() == ["ann@example.com"]
    assert "Total Due as of November 10, 2025: $250.00" in database.value("SELECT text_body FROM outbox")


def test_reminder_stays_true_only_for_what_was_overdue_that_day(database, maple, overdue, unit, owner, remind, deliver):
    remind()
    maple.invoice(unit, owner, "40.00", on=MONDAY, kind="other", period=None)
    maple.payment(owner, "250.00", on=MONDAY)
    assert deliver() == []


def test_payment_plan_signed_between_queueing_and_sending_stops_it(maple, overdue, owner, remind, deliver):
    remind()
    maple.insert(
        "holds", owner_id=owner["id"], kind="payment_plan", reason="Agreed", starts_on=MONDAY, ends_on=date(2026, 1, 31)
    )
    assert deliver() == []


def test_rerun_reminds_no_one(database, overdue, remind):
    remind(dag_run_id="first")
    before = database.snapshot()
    retried, again = remind(dag_run_id="first"), remind(dag_run_id="second")
    assert retried.returned["posted"] == again.returned["posted"] == 0
    changed = {table for table, rows in database.snapshot().items() if rows != before[table]}
    assert changed == {"runs", "run_tenants"}


def test_dry_run_shows_what_the_live_run_does_and_changes_nothing(database, maple, overdue, remind):
    before = database.snapshot()
    dry = remind(dry_run=True)
    assert database.snapshot() == before
    assert "Would be reminded" in dry.text
    live = remind()
    assert live.returned == dry.returned
    assert [line for line in live.log if "→" in line] == [line for line in dry.log if "→" in line]


def test_no_names_or_addresses_in_report_and_run_ledger(database, maple, overdue, remind):
    shown = remind().text + str(database.rows("SELECT items FROM run_tenants"))
    assert "Ann Owner" not in shown
    assert "ann@example.com" not in shown


cents = st.integers(1, 60_000).map(lambda amount: Decimal(amount) / 100)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    invoices=st.lists(st.tuples(st.integers(-20, 100), cents), min_size=1, max_size=5),
    received=st.lists(st.tuples(cents, st.integers(-9, 9)), max_size=3),
)
def test_total_matches_plain_arithmetic(database, jobs, invoices, received):
    number = database.value("SELECT count(*) FROM tenants")
    association = database.association(f"association-{number}")
    owner = association.owner()
    unit = association.unit(owner=owner)
    credit = sum((amount for amount, days_late in received if days_late <= 0), Decimal(0))
    total, oldest = Decimal(0), None
    for age, amount in sorted(invoices, key=lambda invoice: -invoice[0]):
        association.invoice(unit, owner, amount, on=MONDAY - timedelta(days=age), kind="other", period=None)
        covered = min(credit, amount)
        credit -= covered
        if age > 0 and amount > covered:
            total += amount - covered
            oldest = oldest or age
    for amount, days_late in received:
        association.payment(owner, amount, on=MONDAY + timedelta(days=days_late))

    jobs.billing("send_reminders", on=MONDAY, tenant=association.code)
    reminders = database.rows(
        "SELECT total_due, days_overdue, stage FROM payment_reminders WHERE tenant_id = %s", association.tenant_id
    )
    expected = [] if oldest is None else [(total, oldest, 1)]
    assert [tuple(row.values()) for row in reminders] == expected
