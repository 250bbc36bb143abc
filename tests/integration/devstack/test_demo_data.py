"""The demo's associations look alike on whatever day they are loaded."""

from datetime import date

import pytest

from devstack import demo_data

SUNSET_RIDGE = {"tenant": "sunset-ridge"}
DAYS = [date(2025, 10, 29), date(2026, 11, 25), date(2027, 1, 1), date(2028, 2, 29), date(2028, 12, 31)]


@pytest.fixture(params=DAYS, ids=str)
def today(request, database):
    assert demo_data.load(database.owner_dsn, today=request.param)
    return request.param


def test_default_date_is_that_of_the_user_s_document(database, jobs):
    demo_data.load(database.owner_dsn)
    report = jobs.escalate(on=date(2025, 10, 29), **SUNSET_RIDGE).text
    assert "→ VIOL-2025-001 - Unit 101 - Step 2 - Fine: $100.00 - Overdue by 7 days" in report


def test_database_with_associations_is_not_touched(database):
    assert demo_data.load(database.owner_dsn)
    assert not demo_data.load(database.owner_dsn, today=date(2026, 11, 25))
    assert database.value("SELECT count(*) FROM tenants") == 2


def test_violations_are_a_few_days_overdue(today, jobs, books_in_order):
    report = jobs.escalate(on=today, **SUNSET_RIDGE).text
    for number, unit, step, fine, days in [(1, 101, 2, 100, 7), (2, 205, 1, 50, 3), (3, 312, 3, 150, 14)]:
        line = f"VIOL-{today.year}-00{number} - Unit {unit} - Step {step} - Fine: ${fine}.00 - Overdue by {days} days"
        assert line in report


def test_two_lines_of_the_active_budget_are_over_their_thresholds(today, jobs, books_in_order):
    report = jobs.check_budgets(on=today, **SUNSET_RIDGE).text
    assert f"Budget: {today.year} Operating Budget" in report
    assert "Variance: $2,500.00 (+20.8%) - WARNING" in report
    assert "Variance: $3,200.00 (+40.0%) - CRITICAL" in report


def test_billing_bills_one_month(today, jobs, database, books_in_order):
    # On its own day the demo has yet to come to November.
    day = date(2025, 11, 1) if today == date(2025, 10, 29) else today
    assert jobs.billing("generate_invoices", on=day, **SUNSET_RIDGE).returned["posted"] == 6
    assert database.value("SELECT DISTINCT period FROM invoices") == day.replace(day=1)
