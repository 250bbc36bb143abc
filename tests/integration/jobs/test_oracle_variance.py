"""Random budgets and ledgers: the SQL judges every line, run after run, as the oracle does."""

import itertools
from calendar import monthrange
from datetime import date, timedelta
from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.integration.jobs.oracle_variance import (
    Account,
    Budget,
    Entry,
    Judgment,
    Line,
    Oracle,
    Run,
    Thresholds,
    Treasury,
)

rarely = st.sampled_from([False] * 11 + [True])
run_numbers = itertools.count(1)
amounts = st.one_of(
    st.sampled_from([Decimal(amount) for amount in ("120", "125", "100", "130", "5", "0.01")]),
    st.integers(1, 20_000).map(lambda cents: Decimal(cents) / 100),
)
budgeted_amounts = st.one_of(
    st.sampled_from([Decimal(amount) for amount in ("100", "100", "100", "0", "1000.02", "-50")]),
    st.integers(1, 20_000).map(lambda cents: Decimal(cents) / 100),
)
percentages = st.sampled_from([Decimal(percent) for percent in ("20", "30", "33.33", "25", "10", "5", "0")])
pairs = st.lists(percentages, min_size=2, max_size=2).map(sorted).map(lambda pair: Thresholds(*pair))
run_thresholds = st.just(Thresholds(Decimal(20), Decimal(30))) | pairs
own_thresholds = st.one_of(
    *[st.just(Thresholds())] * 3,
    percentages.map(lambda warning: Thresholds(warning, None)),
    percentages.map(lambda critical: Thresholds(None, critical)),
    pairs,
)


@st.composite
def distributions(draw, months):
    cuts = sorted(draw(st.lists(st.integers(0, 1_000_000), min_size=months - 1, max_size=months - 1)))
    parts = [Decimal(end - start) / 10_000 for start, end in itertools.pairwise([0, *cuts, 1_000_000])]
    if draw(rarely):
        parts[0] += Decimal("0.0001")
    if draw(rarely):
        parts.append(Decimal(0))
    return tuple(parts)


@st.composite
def budgets(draw, today):
    """A budget whose period lies about today."""
    months = draw(st.integers(1, 12))
    first = today.year * 12 + today.month - 1 - draw(st.integers(-1, months))
    starts = tuple(date(month // 12, month % 12 + 1, 1) for month in range(first, first + months))
    return Budget(
        starts,
        starts[-1].replace(day=monthrange(starts[-1].year, starts[-1].month)[1]),
        draw(st.sampled_from(["active"] * 8 + ["draft", "closed"])),
        draw(st.sampled_from(["annual", "to_date"])),
        draw(st.sampled_from([Decimal(0), Decimal(0), Decimal(25), Decimal(30)])),
        draw(st.sampled_from([0, 1, 7, 30])),
        draw(own_thresholds),
        draw(
            st.dictionaries(
                st.integers(0, 2),
                st.builds(Line, budgeted_amounts, own_thresholds, st.none() | distributions(months)),
                min_size=2,
            )
        ),
    )


@st.composite
def accounts(draw, today):
    day = st.integers(-40, 8).map(lambda days: today + timedelta(days=days)) | st.just(today)
    return Account(
        draw(st.sampled_from(["expense"] * 8 + ["revenue"] * 4 + ["asset"])),
        tuple(
            draw(st.lists(st.builds(Entry, day, amounts, st.none() | st.none() | day, rarely), min_size=1, max_size=4))
        ),
    )


@st.composite
def treasuries(draw, today):
    return Treasury(
        tuple(draw(accounts(today)) for _ in range(3)),
        tuple(draw(st.lists(budgets(today), min_size=1, max_size=2))),
        draw(st.sampled_from([0, 1, 1, 2, 2, 2])),
    )


@st.composite
def weeks(draw):
    """Associations, and the runs that look at them on days that follow each other, or on the same day."""
    today = draw(st.sampled_from([date(2025, 4, 10), date(2025, 10, 31), date(2025, 12, 31), date(2024, 2, 14)]))
    later = sorted(draw(st.lists(st.sampled_from([0, 0, 1, 6, 7, 10]), max_size=2)))
    runs = [Run(today + timedelta(days=days), draw(run_thresholds)) for days in (0, *later)]
    return draw(st.lists(treasuries(today), min_size=2, max_size=4)), runs


class Built:
    """A treasury in the database, as an association of its own, and what the oracle says about it."""

    _codes = itertools.count(1)

    def __init__(self, database, treasury):
        self.database, self.treasury, self.oracle = database, treasury, Oracle(treasury)
        self.association = database.association(f"oracle-{next(self._codes)}")
        for role in ("treasurer", "board")[: treasury.contacts]:
            self.association.contact(role)
        for position, account in enumerate(treasury.accounts):
            self.association.insert("accounts", number=str(position), name=f"No. {position}", type=account.kind)
            for entry in account.entries:
                self._book(str(position), account, entry)
        self.budgets = [self._budget(budget) for budget in treasury.budgets]

    def _book(self, number, account, entry):
        sides = ("1000", number) if account.kind == "revenue" else (number, "1000")
        source = "closing" if entry.closing else "manual"
        entry_id = self.association.journal(entry.on, *sides, entry.amount, source=source)
        if entry.reversed_on is not None:
            self.association.journal(entry.reversed_on, *reversed(sides), entry.amount, reverses=entry_id)

    def _budget(self, budget):
        row = self.association.budget(
            starts_on=budget.month_starts[0],
            ends_on=budget.ends_on,
            status=budget.status,
            basis=budget.basis,
            alert_floor=budget.floor,
            alert_cooldown_days=budget.cooldown,
            warning_threshold=budget.thresholds.warning,
            critical_threshold=budget.thresholds.critical,
        )
        for position, line in budget.lines.items():
            self.association.budget_line(
                row,
                str(position),
                line.budgeted,
                warning_threshold=line.thresholds.warning,
                critical_threshold=line.thresholds.critical,
                monthly_distribution=None if line.distribution is None else list(line.distribution),
            )
        return str(row["id"])

    def judged(self):
        """Return the judgments of the latest run, by the positions of budget and account."""
        items = self.database.value(
            "SELECT items FROM run_tenants WHERE tenant_id = %s ORDER BY recorded_at DESC LIMIT 1",
            self.association.tenant_id,
        )
        return {
            (self.budgets.index(item["budget_id"]), int(item["account_number"])): Judgment(
                item["action"],
                item["severity"],
                *(Decimal(item[amount]) for amount in ("budgeted", "actual", "variance")),
            )
            for item in items
        }

    def check(self, run, dag_run_id):
        """Compare what the latest run judged, recorded and put into the outbox with the oracle."""
        expected, judged = self.oracle.judge(run), self.judged()
        assert judged == {
            # Where nothing can be compared, the amounts are only for show.
            line: judged[line] if judgment == Judgment("exception") and _is_fault(judged[line]) else judgment
            for line, judgment in expected.items()
        }
        alerts = self.database.rows(
            """
            SELECT budget_id, accounts.number, alerts.severity, alerts.budgeted, alerts.actual, alerts.unfavorable
              FROM budget_alerts AS alerts
              JOIN runs ON runs.id = run_id
              JOIN budget_lines ON budget_lines.id = budget_line_id
              JOIN accounts ON accounts.id = account_id
             WHERE alerts.tenant_id = %s AND dag_run_id = %s
            """,
            self.association.tenant_id,
            dag_run_id,
        )
        posted = {line: judgment for line, judgment in expected.items() if judgment.action == "post"}
        assert {
            (self.budgets.index(str(alert.pop("budget_id"))), int(alert.pop("number"))): tuple(alert.values())
            for alert in alerts
        } == {
            line: (judgment.severity, judgment.budgeted, judgment.actual, abs(judgment.variance))
            for line, judgment in posted.items()
        }
        mails = self.database.value(
            "SELECT count(*) FROM outbox JOIN runs ON runs.id = run_id WHERE tenant_id = %s AND dag_run_id = %s",
            self.association.tenant_id,
            dag_run_id,
        )
        assert mails == self.treasury.contacts * len({budget for budget, _ in posted})


def _is_fault(judgment):
    return judgment.action == "exception" and judgment.severity is None


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(week=weeks())
def test_budget_check_matches_the_oracle(database, books_in_order, jobs, week):
    treasuries, runs = week
    database.run("UPDATE tenants SET status = 'inactive'")
    with database.connection.transaction():
        built = [Built(database, treasury) for treasury in treasuries]
    entries = database.value("SELECT count(*) FROM journal_entries")
    for run in runs:
        dag_run_id = f"run-{next(run_numbers)}"
        params = {
            "on": run.on,
            "dag_run_id": dag_run_id,
            "warning_threshold": float(run.thresholds.warning),
            "critical_threshold": float(run.thresholds.critical),
        }
        dry = jobs.check_budgets(**params, dry_run=True)
        live = jobs.check_budgets(**params)
        assert live.returned == dry.returned
        assert [row for row in live.log if "Budgeted: " in row] == [row for row in dry.log if "Budgeted: " in row]
        for association in built:
            association.check(run, dag_run_id)
    assert database.value("SELECT count(*) FROM journal_entries") == entries
