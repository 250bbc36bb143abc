"""What the budget job promises to treasurer and board."""

import itertools
import threading
from datetime import date, timedelta
from decimal import Decimal

import pytest
from airflow.sdk.exceptions import AirflowFailException

TODAY = date(2025, 10, 29)
JUNE = date(2025, 6, 15)


@pytest.fixture
def maple(database):
    maple = database.association()
    maple.contact()
    return maple


@pytest.fixture
def budget(maple):
    return maple.budget()


_numbers = itertools.count(6000)


def line(association, budget, budgeted, actual=0, *, kind="expense", on=JUNE, **values):
    """Budget an account of its own and post what was spent or earned on it; return the account's number."""
    number = str(next(_numbers))
    association.insert("accounts", number=number, name=f"Account {number}", type=kind)
    association.budget_line(budget, number, budgeted, **values)
    if Decimal(actual):
        book(association, number, actual, on=on, kind=kind)
    return number


def book(association, number, amount, *, on=JUNE, kind="expense", reverses=None):
    debit, credit = (number, "1000") if (kind == "expense") != (reverses is not None) else ("1000", number)
    return association.journal(on, debit, credit, amount, reverses=reverses)


def judged(database, column="severity"):
    """Return one column of the latest live run's plan, by account number."""
    items = database.value("SELECT items FROM run_tenants ORDER BY recorded_at DESC LIMIT 1")
    return {item["account_number"]: item[column] for item in items}


def alerted(database):
    """Return the account numbers that the latest live run alerted."""
    return {number for number, action in judged(database, "action").items() if action == "post"}


def mails(database):
    return database.rows("SELECT recipient_address, subject, text_body, html_body FROM outbox ORDER BY id")


# What is compared. -------------------------------------------------------------------------------------------


def test_annual_basis_compares_with_the_whole_budget_and_the_report_says_so(database, jobs, maple):
    budget = maple.budget("2025 Operating Budget")
    for number, budgeted, actual in (("5100", "12000.00", "14500.00"), ("5200", "8000.00", "11200.00")):
        maple.budget_line(budget, number, budgeted)
        book(maple, number, actual)
    report = jobs.check_budgets(on=TODAY).text
    assert "Budget: 2025 Operating Budget\nPeriod: 2025 (2025-01-01 to 2025-12-31)\n" in report
    for row in (
        "Landscaping - Budgeted: $12,000.00 - Actual: $14,500.00 - Variance: $2,500.00 (+20.8%) - WARNING",
        "Repairs & Maintenance - Budgeted: $8,000.00 - Actual: $11,200.00 - Variance: $3,200.00 (+40.0%) - CRITICAL",
    ):
        assert f"  ⚠ {row}" in report.splitlines()
    assert "Budgets Checked: 1\nTotal Alerts: 2" in report


def test_budget_to_date_grows_evenly_and_by_days_within_a_month(database, jobs, maple):
    number = line(maple, maple.budget(basis="to_date"), "12000.00")
    reached = {}
    for day in ("2025-01-01", "2025-01-31", "2025-02-14", "2025-12-30", "2025-12-31", "2026-03-01"):
        jobs.check_budgets(on=date.fromisoformat(day))
        reached[day] = judged(database, "budgeted")[number]
    assert reached == {
        "2025-01-01": "32.26",
        "2025-01-31": "1000.00",
        "2025-02-14": "1500.00",
        "2025-12-30": "11967.74",
        "2025-12-31": "12000.00",
        "2026-03-01": "12000.00",
    }


def test_half_a_cent_of_budget_to_date_is_rounded_up(database, jobs, maple):
    # Ten days of April's thirty are a third of a month of four: a twelfth of the budget, $83.335.
    budget = maple.budget(basis="to_date", starts_on=date(2025, 4, 1), ends_on=date(2025, 7, 31))
    number = line(maple, budget, "1000.02")
    jobs.check_budgets(on=date(2025, 4, 10))
    assert judged(database, "budgeted") == {number: "83.34"}


def test_budget_to_date_follows_the_monthly_distribution(database, jobs, maple):
    winter = [40, 30, *[0] * 9, 30]
    number = line(maple, maple.budget(basis="to_date", year=2024), "1000.00", monthly_distribution=winter)
    reached = []
    for day in (date(2024, 1, 31), date(2024, 2, 10), date(2024, 2, 29), date(2024, 11, 30), date(2024, 12, 31)):
        jobs.check_budgets(on=day)
        reached.append(judged(database, "budgeted")[number])
    assert reached == ["400.00", "503.45", "700.00", "700.00", "1000.00"]


def test_invalid_distribution_is_an_exception_and_the_other_lines_are_checked(database, jobs, maple):
    budget = maple.budget(basis="to_date")
    empty, too_short, not_100, too_long = [], [100], [*[8] * 11, 11], [*[8] * 12, 4]
    severities = {
        line(maple, budget, "100.00", "900.00", monthly_distribution=distribution): severity
        for distribution, severity in (
            (empty, None), (too_short, None), (not_100, None), (too_long, None), ([*[8] * 11, 12], "critical"),
        )
    }  # fmt: skip
    outcome = jobs.check_budgets(on=TODAY)
    assert "Not alerted: its monthly distribution must have 12 entries that add up to 100" in outcome.text
    assert (outcome.returned["posted"], outcome.returned["exceptions"]) == (1, 4)
    assert judged(database) == severities


def test_distribution_counts_only_for_the_budget_to_date(database, jobs, maple, budget):
    number = line(maple, budget, "100.00", "130.00", monthly_distribution=[100])
    jobs.check_budgets(on=TODAY)
    assert alerted(database) == {number}


def test_only_entries_in_the_period_through_the_run_date_count(database, jobs, maple, budget):
    number = line(maple, budget, "100.00")
    for day in ("2024-12-31", "2025-01-01", "2025-10-29", "2025-10-30", "2026-01-01"):
        book(maple, number, "10.00", on=date.fromisoformat(day))
    jobs.check_budgets(on=TODAY)
    assert judged(database, "actual") == {number: "20.00"}
    jobs.check_budgets(on=date(2026, 2, 1))
    assert judged(database, "actual") == {number: "30.00"}


def test_reversal_counts_from_its_own_date(database, jobs, maple, budget):
    spent, earned = line(maple, budget, "100.00"), line(maple, budget, "100.00", kind="revenue")
    for number, kind in ((spent, "expense"), (earned, "revenue")):
        entry = book(maple, number, "150.00", kind=kind)
        book(maple, number, "150.00", kind=kind, on=TODAY, reverses=entry)
    jobs.check_budgets(on=TODAY - timedelta(days=1))
    assert judged(database, "actual") == {spent: "150.00", earned: "150.00"}
    assert alerted(database) == {spent}
    jobs.check_budgets(on=TODAY)
    assert judged(database, "actual") == {spent: "0.00", earned: "0.00"}
    assert alerted(database) == set()


def test_year_end_closing_entries_do_not_count(database, jobs, maple, budget):
    """The closing entries of December 31 empty every revenue and expense account; the year's figures stay."""
    overspent = line(maple, budget, "1000.00", "1400.00")
    earned = line(maple, budget, "5000.00", "5000.00", kind="revenue")
    year_end = date(2025, 12, 31)
    maple.insert("accounts", number="3000", name="Retained Earnings", type="equity")
    maple.journal(year_end, "3000", overspent, "1400.00", source="closing")
    wrong = maple.journal(year_end, earned, "3000", "5000.00", source="closing")
    maple.journal(date(2026, 1, 2), "3000", earned, "5000.00", reverses=wrong)
    jobs.check_budgets(on=date(2026, 1, 5))
    assert judged(database, "actual") == {overspent: "1400.00", earned: "5000.00"}
    assert judged(database) == {overspent: "critical", earned: None}
    assert alerted(database) == {overspent}


def test_reversal_of_a_closing_entry_does_not_count_either(database, jobs, maple, budget):
    overspent = line(maple, budget, "1000.00", "1400.00")
    maple.insert("accounts", number="3000", name="Retained Earnings", type="equity")
    wrong = maple.journal(date(2025, 11, 30), "3000", overspent, "1400.00", source="closing")
    maple.journal(date(2025, 12, 1), overspent, "3000", "1400.00", reverses=wrong)
    for on in (date(2025, 11, 30), date(2025, 12, 31)):
        jobs.check_budgets(on=on)
        assert judged(database, "actual") == {overspent: "1400.00"}


def test_ledger_of_another_association_never_counts(database, jobs, maple, budget):
    maple.budget_line(budget, "5100", "100.00")
    other = database.association("other-oaks")
    other.budget_line(other.budget(), "5100", "1000.00")
    book(other, "5100", "900.00")
    outcome = jobs.check_budgets(on=TODAY)
    assert outcome.returned["posted"] == 0
    actual = database.rows("SELECT tenant_id, items -> 0 ->> 'actual' AS actual FROM run_tenants")
    assert {row["tenant_id"]: row["actual"] for row in actual} == {maple.tenant_id: "0", other.tenant_id: "900.00"}


def test_only_active_budgets_are_checked(database, jobs, maple):
    for status in ("draft", "closed"):
        line(maple, maple.budget(status=status), "100.00", "900.00")
    outcome = jobs.check_budgets(on=TODAY)
    assert outcome.returned["posted"] == 0
    assert "Checking 0 active budget(s)" in outcome.text


def test_budget_without_lines_is_checked_without_an_alert(database, jobs, maple, budget):
    outcome = jobs.check_budgets(on=TODAY)
    assert "Checking 1 active budget(s)" in outcome.text
    assert outcome.returned | {"unfavorable": None} == {
        "associations": 1, "posted": 0, "skipped": 1, "exceptions": 0, "unfavorable": None
    }  # fmt: skip


def test_account_that_is_neither_revenue_nor_expense_is_reported(database, jobs, maple, budget):
    number = line(maple, budget, "100.00", "900.00", kind="asset")
    assert f"account {number} is neither revenue nor expense" in jobs.check_budgets(on=TODAY).text
    assert judged(database) == {number: None}
    assert alerted(database) == set()


def test_budget_of_a_future_period_is_skipped(database, jobs, maple):
    budget = maple.budget(year=2026)
    line(maple, budget, "-100.00")
    line(maple, budget, "100.00", kind="revenue")
    outcome = jobs.check_budgets(on=TODAY)
    assert (outcome.returned["posted"], outcome.returned["skipped"]) == (0, 2)
    assert set(judged(database).values()) == {None}


# How bad it is. ----------------------------------------------------------------------------------------------


def test_thresholds_are_exact_to_the_cent(database, jobs, maple, budget):
    severities = {
        line(maple, budget, "100.00", actual): severity
        for actual, severity in (
            ("119.99", None), ("120.00", "warning"), ("129.99", "warning"), ("130.00", "critical"),
        )
    }  # fmt: skip
    jobs.check_budgets(on=TODAY)
    assert judged(database) == severities


def test_line_thresholds_win_over_budget_s_and_those_over_the_run_s(database, jobs, maple):
    plain, strict = maple.budget("Plain"), maple.budget("Strict", warning_threshold=5, critical_threshold=8)
    severities = {
        line(maple, plain, "100.00", "111.00"): "warning",
        line(maple, plain, "100.00", "115.00"): "critical",
        line(maple, strict, "100.00", "106.00"): "warning",
        line(maple, strict, "100.00", "108.00"): "critical",
        line(maple, strict, "100.00", "145.00", warning_threshold=50, critical_threshold=60): None,
        line(maple, strict, "100.00", "155.00", warning_threshold=50, critical_threshold=60): "warning",
        line(maple, strict, "100.00", "106.00", critical_threshold=6): "critical",
        line(maple, plain, "100.00", "109.00", warning_threshold=9): "warning",
    }
    jobs.check_budgets(on=TODAY, warning_threshold=10, critical_threshold=15)
    assert judged(database) == severities
    assert alerted(database) == {number for number, severity in severities.items() if severity}


def test_only_unfavorable_variances_alert(database, jobs, maple):
    budget = maple.budget(year=2024)
    bad = {
        line(maple, budget, "100.00", "150.00", on=date(2024, 6, 1)),
        line(maple, budget, "100.00", "50.00", on=date(2024, 6, 1), kind="revenue"),
    }
    line(maple, budget, "100.00", "50.00", on=date(2024, 6, 1))
    line(maple, budget, "100.00", "150.00", on=date(2024, 6, 1), kind="revenue")
    jobs.check_budgets(on=TODAY)
    assert alerted(database) == bad
    assert database.value("SELECT sum(unfavorable) FROM budget_alerts") == Decimal("100.00")


def test_favorable_lines_are_listed_only_on_request_and_never_alerted(database, jobs, maple, budget):
    number = line(maple, budget, "100.00", "40.00")
    listed = f"· Account {number} - Budgeted: $100.00 - Actual: $40.00 - Variance: -$60.00 (-60.0%) - favorable"
    assert listed not in jobs.check_budgets(on=TODAY).text
    outcome = jobs.check_budgets(on=TODAY, list_favorable=True)
    assert listed in outcome.text
    assert outcome.returned["posted"] == 0


def test_annual_revenue_is_judged_only_after_its_period_has_ended(database, jobs, maple, budget):
    number = line(maple, budget, "100.00", "10.00", kind="revenue")
    outcome = jobs.check_budgets(on=date(2025, 12, 31))
    assert judged(database) == {number: None}
    assert "CRITICAL" not in outcome.text
    jobs.check_budgets(on=date(2026, 1, 1))
    assert alerted(database) == {number}


def test_revenue_to_date_is_judged_at_any_time(database, jobs, maple):
    number = line(maple, maple.budget(basis="to_date"), "1200.00", "420.00", kind="revenue")
    jobs.check_budgets(on=date(2025, 6, 30))
    assert judged(database) == {number: "critical"}
    assert alerted(database) == {number}


def test_spending_without_a_budget_is_critical_and_called_unbudgeted(database, jobs, maple, budget):
    spent, unspent = line(maple, budget, "0.00", "0.01"), line(maple, budget, "0.00")
    outcome = jobs.check_budgets(on=TODAY, warning_threshold=900, critical_threshold=1000)
    assert "Budgeted: $0.00 - Actual: $0.01 - Variance: $0.01 (unbudgeted) - CRITICAL" in outcome.text
    assert judged(database) == {spent: "critical", unspent: None}
    assert judged(database, "unbudgeted") == {spent: True, unspent: False}
    assert "unbudgeted" in mails(database)[0]["text_body"]


def test_variance_below_the_floor_does_not_alert(database, jobs, maple):
    budget = maple.budget(alert_floor="50.00")
    small, large = line(maple, budget, "10.00", "59.99"), line(maple, budget, "10.00", "60.00")
    outcome = jobs.check_budgets(on=TODAY)
    assert alerted(database) == {large}
    assert judged(database, "reason")[small] == "below the floor of $50.00"
    assert "Skipped: below the floor of $50.00" in outcome.text


# When it is told again. --------------------------------------------------------------------------------------


def days_of_mail(database):
    return [row["alerted_on"] for row in database.rows("SELECT DISTINCT alerted_on FROM budget_alerts ORDER BY 1")]


@pytest.mark.parametrize(("cooldown", "told_after"), [(0, [0, 1, 2, 7, 8]), (1, [0, 1, 2, 7, 8]), (7, [0, 7])])
def test_unchanged_alert_is_not_repeated_within_its_cooldown(database, jobs, maple, cooldown, told_after):
    line(maple, maple.budget(alert_cooldown_days=cooldown), "100.00", "125.00")
    for days in (0, 1, 2, 7, 8):
        jobs.check_budgets(on=TODAY + timedelta(days=days))
    assert days_of_mail(database) == [TODAY + timedelta(days=days) for days in told_after]
    assert len(mails(database)) == len(told_after)


def test_alert_that_got_worse_is_repeated_within_its_cooldown(database, jobs, maple):
    number = line(maple, maple.budget(alert_cooldown_days=30), "100.00", "125.00")
    jobs.check_budgets(on=TODAY)
    book(maple, number, "0.01", on=TODAY)
    jobs.check_budgets(on=TODAY)  # worse in dollars, the same day
    jobs.check_budgets(on=TODAY + timedelta(days=1))
    jobs.check_budgets(on=TODAY + timedelta(days=2), critical_threshold=25)  # worse in severity
    jobs.check_budgets(on=TODAY + timedelta(days=3), critical_threshold=25)
    told = database.rows("SELECT alerted_on, severity, unfavorable FROM budget_alerts ORDER BY 1, 3")
    assert [tuple(row.values()) for row in told] == [
        (TODAY, "warning", Decimal("25.00")),
        (TODAY, "warning", Decimal("25.01")),
        (TODAY + timedelta(days=2), "critical", Decimal("25.01")),
    ]


def test_alert_that_got_better_is_not_repeated_within_its_cooldown(database, jobs, maple):
    number = line(maple, maple.budget(alert_cooldown_days=30), "100.00", "140.00")
    jobs.check_budgets(on=TODAY)
    entry = book(maple, number, "5.00", on=TODAY)
    book(maple, number, "10.00", on=TODAY, reverses=entry)
    jobs.check_budgets(on=TODAY + timedelta(days=1))
    assert alerted(database) == set()
    assert judged(database, "reason") == {number: "already alerted on 2025-10-29"}


def test_rerun_on_the_same_day_sends_nothing(database, jobs, maple, budget):
    number = line(maple, budget, "100.00", "140.00")
    jobs.check_budgets(on=TODAY, dag_run_id="first", critical_threshold=50)
    before = database.snapshot()
    jobs.check_budgets(on=TODAY, dag_run_id="first", critical_threshold=50)
    jobs.check_budgets(on=TODAY, dag_run_id="second", critical_threshold=50)
    changed = {table for table, rows in database.snapshot().items() if rows != before[table]}
    assert changed == {"runs", "run_tenants"}
    # Worse in severity by its threshold and better in dollars: told once more, and then it is known.
    entry = book(maple, number, "1.00", on=TODAY)
    book(maple, number, "2.00", on=TODAY, reverses=entry)
    for attempt in ("third", "fourth", "fifth"):
        jobs.check_budgets(on=TODAY, dag_run_id=attempt, critical_threshold=30)
    assert len(mails(database)) == 2


def test_two_runs_at_once_alert_once(database, jobs, maple, budget):
    for _ in range(10):
        line(maple, budget, "100.00", "140.00")
    runs = [
        threading.Thread(target=type(jobs)().check_budgets, kwargs={"on": TODAY, "dag_run_id": f"run-{number}"})
        for number in range(4)
    ]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert database.value("SELECT count(*) FROM runs WHERE status = 'completed'") == 4
    assert database.value("SELECT count(*) FROM budget_alerts") == 10
    assert len(mails(database)) == 1


# Who is told what. -------------------------------------------------------------------------------------------


def test_one_mail_per_budget_to_treasurer_and_board_with_the_table(database, jobs, maple):
    operating, reserve = maple.budget("2025 Operating Budget"), maple.budget("2025 Reserves")
    maple.budget("2025 Quiet Budget")
    maple.contact("board", "board@example.com")
    maple.contact("board", None)
    maple.contact("manager", "manager@example.com")
    maple.insert("contacts", role="board", full_name="Gone", email="gone@example.com", active=False)
    maple.budget_line(operating, "5200", "8000.00")
    maple.budget_line(operating, "5100", "12000.00")
    maple.budget_line(reserve, "5200", "10000.00")
    book(maple, "5100", "14500.00")
    book(maple, "5200", "12000.00")
    jobs.check_budgets(on=TODAY)
    sent = mails(database)
    assert sorted((mail["subject"], mail["recipient_address"]) for mail in sent) == [
        ("Budget Alert - 2025 Operating Budget", "board@example.com"),
        ("Budget Alert - 2025 Operating Budget", "treasurer@example.com"),
        ("Budget Alert - 2025 Reserves", "board@example.com"),
        ("Budget Alert - 2025 Reserves", "treasurer@example.com"),
    ]
    operating_mail = next(mail for mail in sent if "Operating" in mail["subject"])
    assert [text.split() for text in operating_mail["text_body"].splitlines() if "  " in text] == [
        ["Account", "Budgeted", "Actual", "Variance", "Variance", "%", "Severity"],
        ["Landscaping", "$12,000.00", "$14,500.00", "$2,500.00", "+20.8%", "WARNING"],
        ["Repairs", "&", "Maintenance", "$8,000.00", "$12,000.00", "$4,000.00", "+50.0%", "CRITICAL"],
    ]
    assert operating_mail["text_body"].endswith("Thank you,\nMaple Court System")
    for shown in ("Landscaping", "Repairs &amp; Maintenance", "$14,500.00", "+50.0%", "WARNING", "CRITICAL"):
        assert shown in operating_mail["html_body"]


def test_alert_without_a_contact_is_an_exception_and_goes_out_once_there_is_one(database, jobs):
    maple = database.association()
    maple.contact("treasurer", None)
    maple.contact("manager", "manager@example.com")
    number = line(maple, maple.budget(), "100.00", "140.00")
    outcome = jobs.check_budgets(on=TODAY)
    assert "Not alerted: no treasurer or board contact has an e-mail address" in outcome.text
    assert outcome.returned["exceptions"] == 1
    assert database.value("SELECT count(*) FROM budget_alerts") == 0
    maple.contact("board", "board@example.com")
    jobs.check_budgets(on=TODAY)
    assert alerted(database) == {number}


# What a run can be asked for. --------------------------------------------------------------------------------


def test_dry_run_shows_what_the_live_run_alerts_and_changes_nothing(database, jobs, maple, budget):
    line(maple, budget, "100.00", "125.00")
    line(maple, budget, "100.00", "140.00")
    line(maple, maple.budget("Reserves", basis="to_date"), "0.00", "1.00")
    before = database.snapshot()
    dry = jobs.check_budgets(on=TODAY, dry_run=True)
    assert database.snapshot() == before
    assert "Would send an alert notification (2 items)" in dry.text
    live = jobs.check_budgets(on=TODAY)
    assert live.returned == dry.returned
    assert live.returned["posted"] == 3
    assert [row for row in live.log if "⚠" in row] == [row for row in dry.log if "⚠" in row]


def test_run_for_one_budget_does_not_touch_the_others(database, jobs, maple, budget):
    number = line(maple, budget, "100.00", "140.00")
    line(maple, maple.budget("Reserves"), "100.00", "140.00")
    other = database.association("other-oaks")
    line(other, other.budget(), "100.00", "140.00")
    outcome = jobs.check_budgets(on=TODAY, budget_id=str(budget["id"]))
    assert outcome.returned["associations"] == 1
    assert "Budgets Checked: 1" in outcome.text
    assert alerted(database) == {number}
    assert database.value("SELECT narrowed FROM runs")


def test_budget_that_cannot_be_checked_is_refused(database, jobs, maple):
    other, asleep = database.association("other-oaks"), database.association("sleepy-hollow", status="suspended")
    refusals = [
        ("00000000-0000-7000-8000-000000000000", None, "there is no budget 00000000-0000-7000-8000-000000000000"),
        (maple.budget(status="draft")["id"], None, "is draft; only active budgets are checked"),
        (maple.budget(status="closed")["id"], None, "is closed; only active budgets are checked"),
        (other.budget()["id"], "maple-court", "does not belong to the association 'maple-court'"),
        (asleep.budget()["id"], None, "belongs to an association that is suspended; only active associations"),
    ]
    before = database.snapshot()
    for budget_id, tenant, sentence in refusals:
        for task_id in ("check_params", "check_budget_variances"):
            with pytest.raises(AirflowFailException, match=f"budget_id: .*{sentence}"):
                jobs.run("hoa_budget_variance", task_id, on=TODAY, budget_id=str(budget_id), tenant=tenant)
    assert database.snapshot() == before


@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        ({"warning_threshold": 40}, r"critical_threshold \(30\) is below warning_threshold \(40\)"),
        ({"warning_threshold": -1}, "warning_threshold: "),
        ({"critical_threshold": float("nan")}, "critical_threshold: "),
        ({"budget_id": "abc123"}, "budget_id: "),
    ],
)
def test_contradictory_thresholds_and_invalid_ids_are_refused(jobs, params, sentence):
    # Without a database: it must not even be asked.
    with pytest.raises(AirflowFailException, match=sentence):
        jobs.check_budgets(on=TODAY, **params)
