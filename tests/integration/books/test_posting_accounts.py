"""An association's postings go to the accounts that it names, and to the usual ones for what it leaves out."""

from datetime import date

import pytest
from airflow.sdk.exceptions import AirflowFailException
from psycopg import errors

from hoa_ops.cli.main import main
from tests.support.books import deviations_of_all

FIRST = date(2025, 11, 1)
SIXTH = date(2025, 11, 6)
ITS_OWN = (
    ("1000", "Operating Cash", "asset"),
    ("1100", "Dues Receivable", "asset"),
    ("2200", "Owner Prepayments", "liability"),
    ("4600", "Dues", "revenue"),
    ("4610", "Late Charges and Fines", "revenue"),
    ("5100", "Landscaping", "expense"),
)


@pytest.fixture
def birch(database):
    """An association that books receivables on 1100 and what it charges on 4600 and 4610."""
    return database.association(
        "birch-grove",
        accounts=ITS_OWN,
        posting_accounts={"receivables": "1100", "assessments": "4600", "late_fees": "4610", "fines": "4610"},
    )


def trial_balance(database):
    return {
        row["number"]: row["balance"]
        for row in database.rows(
            """
            SELECT accounts.number, sum(debit - credit) AS balance
              FROM journal_entry_lines JOIN accounts ON accounts.id = account_id GROUP BY accounts.number
            """
        )
    }


def test_association_with_accounts_1100_and_4600_runs_every_job_and_its_books_check(database, birch, jobs, capsys):
    birch.insert("late_fee_rules", fee_type="flat", flat_amount="25.00", effective_from=date(2025, 1, 1))
    ann, bob = birch.owner("Ann"), birch.owner("Bob", email="bob@example.com")
    birch.payment(ann, "300.00", on=date(2025, 10, 20))
    birch.unit("101", owner=ann)
    birch.violation(birch.unit("102", owner=bob), birch.violation_type(), cure_deadline=FIRST)
    birch.contact()
    birch.budget_line(birch.budget(), "4600", "6000.00")

    assert jobs.billing("generate_invoices", on=FIRST).returned["posted"] == 2
    assert jobs.billing("assess_late_fees", on=SIXTH).returned["posted"] == 1
    assert jobs.billing("send_reminders", on=date(2025, 11, 10)).returned["posted"] == 1
    assert jobs.escalate(on=SIXTH).returned["posted"] == 1
    assert jobs.check_budgets(on=date(2026, 1, 5)).returned["posted"] == 1

    assert trial_balance(database) == {"1000": 300, "1100": 325, "2200": -50, "4600": -500, "4610": -75}
    assert deviations_of_all(database) == []
    reverse = ["reverse", "--dsn", database.owner_dsn, "--on", "2025-11-07", "--who", "Pat Lee", "--why", "a mistake"]
    assert main([*reverse, "--invoice", "birch-grove", "INV-00003"]) == 0
    assert trial_balance(database)["4610"] == -50
    assert deviations_of_all(database) == []
    capsys.readouterr()
    assert main(["aging", "--tenant", "birch-grove", "--as-of", "2025-11-10"]) == 0
    assert "1100" in capsys.readouterr().out


def test_check_books_compares_with_the_accounts_that_the_association_names(database, birch):
    owner = birch.owner()
    birch.invoice(birch.unit(owner=owner), owner, "250.00", on=FIRST)
    birch.journal(FIRST, "1100", "4600", "7.00")
    assert deviations_of_all(database) == [
        "Birch Grove: open invoices are $250.00, account 1100 of the general ledger has $257.00"
    ]


def test_missing_account_is_named_with_both_remedies(database, birch, jobs):
    database.run("DELETE FROM posting_accounts WHERE purpose = 'receivables'")
    birch.unit(owner=birch.owner())
    told = (
        r"no active account 1200 \(accounts receivable\): add it to the chart of accounts, or name the account to use "
        r"in the table posting_accounts, then run again"
    )
    with pytest.raises(AirflowFailException, match=told):
        jobs.billing("generate_invoices", on=FIRST)


def test_only_an_account_of_the_association_can_be_named(database, birch):
    with pytest.raises(errors.ForeignKeyViolation):
        birch.insert("posting_accounts", purpose="prepayments", account_number="9999")
