"""The journal as another program sees it: Beancount checks every entry and every balance."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from beancount import loader
from beancount.core.data import Balance, Transaction

from hoa_ops.cli.main import main

MONTH = date(2025, 11, 1)
AS_OF = date(2025, 11, 30)


@pytest.fixture
def export(capsys, tmp_path):
    """Exports an association's journal as a person would, and has Beancount read and check the file."""

    def run(code, as_of=AS_OF):
        assert main(["export-journal", "--tenant", code, "--as-of", str(as_of)]) == 0
        file = tmp_path / f"{code}.beancount"
        file.write_text(capsys.readouterr().out, encoding="utf-8")
        return loader.load_file(str(file))

    return run


def balances(entries):
    return {entry.account: entry.amount.number for entry in entries if isinstance(entry, Balance)}


def test_journal_of_a_month_of_jobs_passes_bean_check(database, jobs, maple, unit, owner, export, capsys):
    maple.apply(
        maple.payment(owner, "100.00", on=date(2025, 10, 20)),
        maple.invoice(unit, owner, "250.00", on=date(2025, 10, 1)),
        "100.00",
        on=date(2025, 10, 20),
    )
    maple.insert("late_fee_rules", fee_type="flat", flat_amount="25.00", effective_from=date(2025, 1, 1))
    maple.violation(unit, maple.violation_type(), cure_deadline=date(2025, 10, 28))
    maple.payment(owner, "20.00", on=date(2025, 11, 1))
    jobs.billing("generate_invoices", on=MONTH)
    jobs.billing("assess_late_fees", on=date(2025, 11, 6))
    jobs.escalate(on=date(2025, 11, 7))
    invoice = database.value("SELECT number FROM invoices WHERE kind = 'fine'")
    reverse = ["reverse", "--dsn", database.owner_dsn, "--invoice", "maple-court", invoice, "--on", "2025-11-08"]
    assert main([*reverse, "--who", "The board", "--why", "It was cured in time"]) == 0
    capsys.readouterr()

    entries, errors, _ = export("maple-court")
    assert errors == []
    transactions = [entry for entry in entries if isinstance(entry, Transaction)]
    assert len(transactions) == database.value("SELECT count(*) FROM journal_entries WHERE entry_date <= %s", AS_OF)
    ours = database.rows(
        """
        SELECT accounts.number, coalesce(sum(debit - credit), 0.00) AS balance
          FROM accounts LEFT JOIN journal_entry_lines ON account_id = accounts.id GROUP BY accounts.number
        """
    )
    theirs = {account.rpartition(":")[2]: number for account, number in balances(entries).items()}
    assert theirs == {row["number"]: row["balance"] for row in ours}


def test_balances_are_those_at_the_end_of_the_day(maple, unit, owner, export):
    maple.invoice(unit, owner, "250.00", on=MONTH)
    maple.invoice(unit, owner, "250.00", on=date(2025, 12, 1))
    entries, errors, _ = export("maple-court", as_of=MONTH)
    assert errors == []
    assert balances(entries)["Assets:1200"] == Decimal("250.00")
    assert {entry.date for entry in entries if isinstance(entry, Balance)} == {MONTH + timedelta(1)}


def test_beancount_finds_a_balance_that_is_wrong(maple, unit, owner, capsys, tmp_path):
    """The judge can say no."""
    maple.invoice(unit, owner, "250.00", on=MONTH)
    assert main(["export-journal", "--tenant", "maple-court", "--as-of", str(AS_OF)]) == 0
    wrong = capsys.readouterr().out.replace("Assets:1200 250.00 ~ 0 USD", "Assets:1200 250.01 ~ 0 USD")
    file = tmp_path / "wrong.beancount"
    file.write_text(wrong, encoding="utf-8")
    assert [error.message for error in loader.load_file(str(file))[1]] == [
        "Balance failed for 'Assets:1200': expected 250.01 USD != accumulated 250.00 USD (0.01 too little)"
    ]


def test_hostile_names_and_numbers_stay_text(database, export):
    association = database.association("hostile", name='The "Grand" \\ HOA')
    for number, name in (("12.00/a", 'Cash "petty"\n2025-01-01 open Assets:Evil'), ("12-00 A", "Ångström"), ("…", "?")):
        association.insert("accounts", number=number, name=name, type="asset")
    association.journal(MONTH, "12.00/a", "…", "1.00")
    database.run("ALTER TABLE journal_entries DISABLE TRIGGER append_only")
    database.run(
        """UPDATE journal_entries SET description = 'a "b" \\ c' || chr(10) || '2025-01-01 open Assets:Evil'"""
    )
    entries, errors, options = export("hostile")
    assert errors == []
    assert options["title"] == 'The "Grand" \\ HOA'
    assert not any(account == "Assets:Evil" for account in balances(entries))
    [transaction] = [entry for entry in entries if isinstance(entry, Transaction)]
    assert transaction.narration == 'a "b" \\ c 2025-01-01 open Assets:Evil'


def test_association_without_entries_exports_its_accounts(maple, export):
    entries, errors, _ = export("maple-court")
    assert errors == []
    assert set(balances(entries).values()) == {Decimal("0.00")}
