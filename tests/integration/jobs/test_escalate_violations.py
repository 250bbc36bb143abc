"""What escalation promises to owners, bookkeeper and board."""

import threading
from datetime import date, timedelta
from decimal import Decimal

import pytest
from airflow.sdk.exceptions import AirflowFailException

TODAY = date(2025, 10, 29)


def fines(database):
    return [row["amount"] for row in database.rows("SELECT amount FROM invoices WHERE kind = 'fine' ORDER BY number")]


@pytest.fixture
def unit(maple):
    return maple.unit("101", owner=maple.owner())


@pytest.fixture
def parking(maple):
    return maple.violation_type()


def test_default_schedule_run_daily_fines_on_days_1_7_and_14(database, jobs, maple, unit, parking):
    maple.violation(unit, parking, cure_deadline=TODAY)
    for day in range(31):
        jobs.escalate(on=TODAY + timedelta(days=day))
    escalations = database.rows("SELECT step, escalated_on, fine FROM violation_escalations ORDER BY step")
    assert [(row["step"], (row["escalated_on"] - TODAY).days, row["fine"]) for row in escalations] == [
        (1, 1, Decimal("50.00")),
        (2, 7, Decimal("100.00")),
        (3, 14, Decimal("150.00")),
    ]


@pytest.mark.parametrize(
    ("grace", "days_overdue", "escalated"), [(0, 0, 0), (0, 1, 1), (1, 1, 1), (5, 4, 0), (5, 5, 1)]
)
def test_grace_is_exact_to_the_day(database, jobs, maple, unit, parking, grace, days_overdue, escalated):
    maple.violation(unit, parking, cure_deadline=TODAY - timedelta(days=days_overdue))
    assert jobs.escalate(on=TODAY, days_grace=grace).returned["posted"] == escalated


def test_long_outage_causes_only_one_step(database, jobs, maple, unit, parking):
    maple.violation(unit, parking, cure_deadline=TODAY - timedelta(days=90))
    jobs.escalate(on=TODAY)
    jobs.escalate(on=TODAY + timedelta(days=1))
    assert fines(database) == [Decimal("50.00")]


def test_schedule_of_the_type_wins_over_the_association_s_default(database, jobs, maple, unit, parking):
    maple.fine_schedule(("10.00", 0))
    maple.fine_schedule(("75.00", 0), violation_type=parking)
    maple.violation(unit, parking, cure_deadline=TODAY - timedelta(days=1), number="V-1")
    maple.violation(unit, maple.violation_type("Noise"), cure_deadline=TODAY - timedelta(days=1), number="V-2")
    jobs.escalate(on=TODAY)
    assert fines(database) == [Decimal("75.00"), Decimal("10.00")]


def test_type_without_a_schedule_is_an_exception_and_not_fined(database, jobs, maple, unit, parking):
    maple.fine_schedule()
    noise = maple.violation_type("Noise")
    maple.fine_schedule(("75.00", 0), violation_type=noise)
    maple.violation(unit, parking, cure_deadline=TODAY - timedelta(days=1), number="V-1")
    maple.violation(unit, noise, cure_deadline=TODAY - timedelta(days=1), number="V-2")
    maple.violation(unit, parking, cure_deadline=TODAY, number="V-3")
    told = (
        "! V-1 - Unit 101 - Overdue by 1 day\n    Not escalated: the violation type Parking has no fine schedule, "
        "and the association has no default one: add either"
    )
    for dry_run in (True, False):
        outcome = jobs.escalate(on=TODAY, dry_run=dry_run)
        assert told in outcome.text
        assert "V-3" not in outcome.text
        assert (outcome.returned["posted"], outcome.returned["exceptions"]) == (1, 1)
    assert fines(database) == [Decimal("75.00")]
    assert database.rows("SELECT violation_number, status FROM violations ORDER BY violation_number") == [
        {"violation_number": "V-1", "status": "open"},
        {"violation_number": "V-2", "status": "escalated"},
        {"violation_number": "V-3", "status": "open"},
    ]


def test_used_up_schedule_is_reported_for_the_board_and_not_fined(database, jobs, maple, unit, parking):
    maple.fine_schedule(("10.00", 0))
    maple.violation(unit, parking, cure_deadline=TODAY - timedelta(days=1))
    jobs.escalate(on=TODAY)
    outcome = jobs.escalate(on=TODAY + timedelta(days=1))
    assert outcome.returned["exceptions"] == 1
    assert "its fine schedule ended with step 1: the board must decide what comes next" in outcome.text
    assert fines(database) == [Decimal("10.00")]


def test_step_that_needs_board_approval_is_never_fined_automatically(database, jobs, maple, unit, parking):
    maple.fine_schedule(("10.00", 0), requires_board_approval=True)
    maple.violation(unit, parking, cure_deadline=TODAY - timedelta(days=1))
    assert "needs the board's approval" in jobs.escalate(on=TODAY).text
    assert fines(database) == []


def test_fine_is_an_invoice_with_a_balanced_entry_and_the_violation_is_escalated(database, jobs, maple, unit, parking):
    maple.violation(unit, parking, cure_deadline=TODAY - timedelta(days=1))
    jobs.escalate(on=TODAY)
    assert database.value("SELECT status FROM violations") == "escalated"
    lines = database.rows(
        """
        SELECT accounts.number, debit, credit FROM journal_entry_lines
          JOIN accounts ON accounts.id = account_id ORDER BY line_number
        """
    )
    assert [tuple(line.values()) for line in lines] == [("1200", Decimal(50), 0), ("4300", 0, Decimal(50))]
    invoice = database.rows("SELECT number, invoice_date, due_date FROM invoices")[0]
    assert tuple(invoice.values()) == ("INV-00001", TODAY, TODAY)


def test_caps_limit_the_fine_and_are_named(database, jobs, parking, maple, unit):
    database.run("UPDATE tenants SET fine_cap_per_violation = 120, fine_cap_per_year = 140")
    maple.violation(unit, parking, cure_deadline=TODAY - timedelta(days=1), number="V-1")
    jobs.escalate(on=TODAY)  # 50
    outcome = jobs.escalate(on=TODAY + timedelta(days=6))  # 100, but 70 left for the violation
    assert "Fine: $70.00" in outcome.text
    assert "($100.00 limited by the cap per violation of $120.00)" in outcome.text
    maple.violation(unit, parking, cure_deadline=TODAY, number="V-2")
    outcome = jobs.escalate(on=TODAY + timedelta(days=7))  # 50, but 20 left for the unit and year
    assert "Fine: $20.00" in outcome.text
    assert "cap per year of $140.00" in outcome.text
    maple.violation(unit, parking, cure_deadline=date(2025, 12, 31), number="V-3")
    # A new year: step 2 of V-2 takes 100 of the cap's 140, step 1 of V-3 gets the other 40 of its 50.
    jobs.escalate(on=date(2026, 1, 1))
    assert fines(database)[-2:] == [Decimal("100.00"), Decimal("40.00")]


def test_yearly_cap_is_used_up_in_the_natural_order_of_the_numbers(database, jobs, maple, unit, parking):
    """The cap leaves $75 for the year; V-9 comes before V-10, whatever the letters say."""
    database.run("UPDATE tenants SET fine_cap_per_year = 75")
    for number in ("V-10", "V-9"):
        maple.violation(unit, parking, cure_deadline=TODAY - timedelta(days=1), number=number)
    dry = jobs.escalate(on=TODAY, dry_run=True)
    live = jobs.escalate(on=TODAY)
    assert live.returned == dry.returned
    fined = database.rows(
        "SELECT violation_number, fine FROM violation_escalations JOIN violations ON violations.id = violation_id"
        " ORDER BY fine DESC"
    )
    assert [tuple(row.values()) for row in fined] == [("V-9", Decimal("50.00")), ("V-10", Decimal("25.00"))]
    assert live.text.index("V-9 - Unit") < live.text.index("V-10 - Unit")
    assert fines(database) == [Decimal("50.00"), Decimal("25.00")]


def test_co_owners_share_the_fine_to_the_cent_and_each_is_notified(database, jobs, maple, parking):
    unit = maple.unit("7")
    for name, percentage in (("Ann", "33.3334"), ("Bob", "33.3333"), ("Cleo", "33.3333")):
        maple.ownership(unit, maple.owner(name, email=f"{name.lower()}@example.com"), percentage=percentage)
    maple.violation(unit, parking, cure_deadline=TODAY - timedelta(days=1))
    jobs.escalate(on=TODAY)
    assert sorted(fines(database)) == [Decimal("16.66"), Decimal("16.67"), Decimal("16.67")]
    assert database.value("SELECT count(*) FROM outbox") == 3


@pytest.mark.parametrize(
    ("shares", "reason"),
    [([], "no owner of record"), (["60", "30"], "add up to 90 %, not 100 %")],
)
def test_unit_without_clear_ownership_is_an_exception_and_the_others_are_escalated(
    database, jobs, maple, parking, unit, shares, reason
):
    odd = maple.unit("13")
    for number, share in enumerate(shares):
        maple.ownership(odd, maple.owner(f"Owner {number}"), percentage=share)
    maple.violation(odd, parking, cure_deadline=TODAY - timedelta(days=1), number="V-1")
    maple.violation(unit, parking, cure_deadline=TODAY - timedelta(days=1), number="V-2")
    outcome = jobs.escalate(on=TODAY)
    assert reason in outcome.text
    assert fines(database) == [Decimal("50.00")]


@pytest.mark.parametrize(
    ("preference", "email", "channel"),
    [(None, "ann@example.com", "email"), ("letter", "ann@example.com", "letter"), ("none", "ann@example.com", "letter"),
     (None, None, "letter"), ("email", None, "letter")],
)  # fmt: skip
def test_notice_is_always_served(database, jobs, maple, parking, preference, email, channel):
    owner = maple.owner(email=email)
    if preference:
        maple.insert("notification_preferences", owner_id=owner["id"], channel=preference)
    maple.violation(maple.unit(owner=owner), parking, cure_deadline=TODAY - timedelta(days=1))
    jobs.escalate(on=TODAY)
    messages = database.rows("SELECT channel, state, recipient_address FROM outbox")
    assert [(row["channel"], row["state"]) for row in messages] == [(channel, "pending")]
    assert messages[0]["recipient_address"] == (email if channel == "email" else "1 Main Street")


def test_rerun_posts_nothing(database, jobs, maple, unit, parking):
    maple.violation(unit, parking, cure_deadline=TODAY - timedelta(days=1))
    jobs.escalate(on=TODAY, dag_run_id="first")
    before = database.snapshot()
    retried = jobs.escalate(on=TODAY, dag_run_id="first")
    again = jobs.escalate(on=TODAY, dag_run_id="second")
    assert retried.returned["posted"] == again.returned["posted"] == 0
    changed = {table for table, rows in database.snapshot().items() if rows != before[table]}
    assert changed == {"runs", "run_tenants"}


def test_two_runs_at_once_post_once(database, jobs, maple, unit, parking):
    for number in range(20):
        maple.violation(unit, parking, cure_deadline=TODAY - timedelta(days=1), number=f"V-{number:02}")
    runs = [
        threading.Thread(target=type(jobs)().escalate, kwargs={"on": TODAY, "dag_run_id": f"run-{number}"})
        for number in range(4)
    ]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert len(fines(database)) == 20
    numbers = database.rows("SELECT number FROM invoices ORDER BY number")
    assert [row["number"] for row in numbers] == [f"INV-{number:05}" for number in range(1, 21)]
    assert database.value("SELECT count(*) FROM outbox") == 20


def test_dry_run_shows_what_the_live_run_posts_and_changes_nothing(database, jobs, maple, unit, parking):
    for number in range(5):
        maple.violation(unit, parking, cure_deadline=TODAY - timedelta(days=number), number=f"V-{number}")
    before = database.snapshot()
    dry = jobs.escalate(on=TODAY, dry_run=True)
    assert database.snapshot() == before
    live = jobs.escalate(on=TODAY)
    assert live.returned == dry.returned
    assert [line for line in live.log if "→" in line] == [line for line in dry.log if "→" in line]


def test_association_without_a_receivables_account_fails_alone_and_is_named(database, jobs, maple, unit, parking):
    broken = database.association("broken-brook")
    broken.violation(
        broken.unit(owner=broken.owner()), broken.violation_type(), cure_deadline=TODAY - timedelta(days=1)
    )
    database.run("UPDATE accounts SET active = false WHERE number = '1200' AND tenant_id = %s", broken.tenant_id)
    maple.violation(unit, parking, cure_deadline=TODAY - timedelta(days=1))
    with pytest.raises(AirflowFailException, match=r"Broken Brook: no active account 1200 \(accounts receivable\)"):
        jobs.escalate(on=TODAY)
    assert "Broken Brook could not be posted" in jobs.last.text
    assert fines(database) == [Decimal("50.00")]
    assert database.value("SELECT status FROM runs") == "failed"
    assert database.value("SELECT count(*) FROM violation_escalations WHERE tenant_id = %s", broken.tenant_id) == 0
    with pytest.raises(AirflowFailException, match="no active account 1200"):
        jobs.escalate(on=TODAY, dry_run=True)


def test_run_date_decides_not_the_clock(database, jobs, maple, unit, parking):
    maple.violation(unit, parking, cure_deadline=date(2025, 5, 1))
    assert jobs.escalate(on=date(2025, 5, 1)).returned["posted"] == 0
    assert jobs.escalate(on=date(2025, 5, 2)).returned["posted"] == 1
    assert database.value("SELECT escalated_on FROM violation_escalations") == date(2025, 5, 2)


@pytest.mark.parametrize("status", ["trial", "suspended", "inactive"])
def test_inactive_association_is_skipped(database, jobs, maple, unit, parking, status):
    maple.violation(unit, parking, cure_deadline=TODAY - timedelta(days=1))
    database.run("UPDATE tenants SET status = %s", status)
    assert jobs.escalate(on=TODAY).returned["associations"] == 0
    with pytest.raises(AirflowFailException, match=f"is {status}; only active associations"):
        jobs.escalate(on=TODAY, tenant="maple-court")


def test_run_for_one_association_does_only_that_one(database, jobs, maple, unit, parking):
    other = database.association("other-oaks")
    other.violation(other.unit(owner=other.owner()), other.violation_type(), cure_deadline=date(2025, 1, 1))
    maple.violation(unit, parking, cure_deadline=TODAY - timedelta(days=1))
    assert jobs.escalate(on=TODAY, tenant="maple-court").returned["posted"] == 1
    assert database.value("SELECT count(*) FROM invoices WHERE tenant_id = %s", other.tenant_id) == 0
    assert jobs.escalate(on=TODAY, tenant=str(other.tenant_id)).returned["posted"] == 1


def test_job_can_be_switched_off_in_an_emergency(database, jobs, maple, unit, parking, monkeypatch):
    maple.violation(unit, parking, cure_deadline=TODAY - timedelta(days=1))
    monkeypatch.setenv("AIRFLOW_VAR_HOA_OPS_SWITCHED_OFF", "assess_late_fees, escalate_violations")
    assert "SWITCHED OFF" in jobs.escalate(on=TODAY).text
    assert fines(database) == []
    assert database.value("SELECT status FROM runs") == "switched_off"
    monkeypatch.delenv("AIRFLOW_VAR_HOA_OPS_SWITCHED_OFF")
    assert jobs.escalate(on=TODAY).returned["posted"] == 1
