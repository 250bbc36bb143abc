"""Random associations and months of their lives: the SQL bills every unit, run after run, as the oracle does."""

import itertools
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import partial

from airflow.sdk.exceptions import AirflowFailException
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.integration.jobs.oracle_billing import (
    Charge,
    Line,
    Oracle,
    Ownership,
    Refused,
    Row,
    Terms,
    Unit,
    shifted,
    unit_number,
)

JANUARY = date(2025, 1, 1)
FREQUENCIES = {1: "monthly", 3: "quarterly", 6: "semiannual", 12: "yearly"}
OWNERS = 4
codes = itertools.count(1)

months = st.integers(-3, 10).map(lambda month: shifted(JANUARY, month))
days = st.one_of(months, months, months, st.integers(-60, 330).map(lambda day: JANUARY + timedelta(days=day)))
cents = st.one_of(st.integers(1, 100_000), st.sampled_from([25_000, 10_000, 1, 0]), st.integers(10_000, 50_000))
rarely = st.sampled_from([False] * 9 + [True])


@dataclass(frozen=True)
class Run:
    on: date
    only: date | None
    can_post: bool


@dataclass(frozen=True)
class Void:
    """Take back an invoice: the so-manieth of those that stand, round and round."""

    number: int


@dataclass(frozen=True)
class NewAmount:
    """Write another amount over that of a charge."""

    unit: int
    charge: int
    cents: int


@dataclass(frozen=True)
class NewShares:
    """Write other shares over those of the owners who own a unit for good."""

    unit: int
    cut: Decimal


percentages = st.one_of(
    st.just(["100"]),
    st.sampled_from([["50", "50"], ["33.3333", "33.3333", "33.3334"], ["60", "40"], ["60", "40"]]),
    st.integers(1, 999_999).map(lambda cut: [str(Decimal(part).scaleb(-4)) for part in (cut, 1_000_000 - cut)]),
    st.sampled_from([["100"], ["60", "30"]]),
)


def prices(draw, first, price):
    """Return a charge; or two rows, where its price changes, or by mistake overlaps."""
    if not draw(st.booleans()):
        return [price(cents=draw(cents), first=first, last=None)]
    last = draw(days.filter(lambda day: day >= first))
    gap = 0 if draw(rarely) else 1
    return [
        price(cents=draw(cents), first=first, last=last),
        price(cents=draw(cents), first=last + timedelta(days=gap), last=draw(st.none() | st.just(date(2030, 1, 1)))),
    ]


@st.composite
def charges(draw):
    """What a unit is charged: its assessment since long ago, and what else there is."""
    assessment = partial(Charge, "assessment", "Assessment", every=1, times=None, account=None)
    rows = [] if draw(rarely) else prices(draw, date(1900, 1, 1), assessment)
    if draw(st.booleans()):
        parking = partial(
            Charge,
            "other",
            "Parking",
            every=draw(st.sampled_from(sorted(FREQUENCIES))),
            times=None,
            account=draw(st.sampled_from([None, "4150"])),
        )
        rows += prices(draw, draw(days), parking)
    if draw(st.booleans()):
        every, times = draw(st.sampled_from([1, 1, 3])), draw(st.sampled_from([1, 2, 5]))
        rows.append(Charge("special_assessment", "Roof", draw(cents), every, draw(days), None, times, None))
    if draw(rarely):
        rows.append(Charge("other", "Refund", -100, 1, draw(days), None, None, None))
    return rows


@st.composite
def units(draw):
    statuses = {} if draw(rarely) else {date(1900, 1, 1): draw(st.sampled_from(["occupied"] * 4 + ["vacant"]))}
    if draw(st.booleans()):
        statuses[draw(days)] = draw(st.sampled_from(["rented", "occupied", "vacant", "exempt"]))
    owners = draw(st.permutations(range(OWNERS)))
    last = draw(st.none() | st.none() | days)
    ownerships = [
        Ownership(owner, Decimal(share), date(2020, 1, 1), last)
        for owner, share in zip(owners, draw(percentages), strict=False)
    ]
    if last is not None:
        ownerships.append(Ownership(owners[-1], Decimal(100), last + timedelta(days=1), None))
    return Unit(list(statuses.items()), draw(charges()), ownerships)


voids = st.builds(Void, st.integers(0, 20))
new_amounts = st.builds(NewAmount, st.integers(0, 2), st.integers(0, 5), cents)
new_shares = st.builds(NewShares, st.integers(0, 2), st.sampled_from(["50", "20", "70.5"]).map(Decimal))
corrections = st.one_of(
    st.tuples(voids, new_shares),
    st.tuples(voids, new_amounts),
    st.lists(st.one_of(voids, new_amounts, new_shares), max_size=3),
)


@st.composite
def lives(draw):
    """An association, and what happens to it: runs, with months that are missed, and what people do in between."""
    terms = Terms(draw(st.sampled_from([0, 10])), draw(st.booleans()), draw(st.none() | st.none() | days))
    here = draw(st.lists(units(), min_size=1, max_size=3))
    happenings = []
    on = JANUARY
    for _ in range(draw(st.integers(2, 5))):
        only = shifted(on.replace(day=1), -draw(st.integers(0, 3))) if draw(rarely) else None
        happenings.append(Run(on, only, not draw(rarely)))
        happenings += draw(corrections)
        on += timedelta(days=draw(st.sampled_from([2, 2, 5, 28, 31, 31, 62, 95])))
    return terms, here, happenings


class Built:
    """An association in the database, and what the oracle says about it."""

    def __init__(self, database, jobs, terms, here):
        self.database, self.jobs, self.oracle = database, jobs, Oracle(terms, here)
        self.association = database.association(
            f"oracle-{next(codes)}",
            payment_terms_days=terms.days,
            bills_vacant_units=terms.bills_vacant,
            billing_starts_on=terms.starts_on,
        )
        self.association.insert("accounts", number="4150", name="Other Revenue", type="revenue")
        self.owners = [self.association.owner(f"Owner {number}")["id"] for number in range(OWNERS)]
        self.units = [self._unit(number, unit) for number, unit in enumerate(here)]
        self.runs = itertools.count(1)

    def _unit(self, number, unit):
        row = self.association.unit(unit_number(number), monthly_assessment=None, status=None)
        for since, status in unit.statuses:
            self.association.unit_status(row, status, since=since)
        self.charges = getattr(self, "charges", [])
        self.charges.append(
            [
                self.association.charge(
                    row,
                    Decimal(charge.cents).scaleb(-2),
                    kind=charge.kind,
                    description=charge.description,
                    since=charge.first,
                    until=charge.last,
                    account=charge.account,
                    frequency=FREQUENCIES[charge.every],
                    installments=charge.times,
                )["id"]
                for charge in unit.charges
            ]
        )
        for ownership in unit.ownerships:
            self.association.ownership(
                row,
                {"id": self.owners[ownership.owner]},
                percentage=ownership.percentage,
                since=ownership.first,
                until=ownership.last,
            )
        return row["id"]

    def happen(self, happening):
        match happening:
            case Run():
                self._run(happening)
            case Void():
                self._void(happening.number)
            case NewAmount(unit, charge, amount):
                self._new_amount(unit % len(self.units), charge, amount)
            case NewShares(unit, cut):
                self._new_shares(unit % len(self.units), cut)

    def _bill(self, run, dag_run_id, **params):
        month = {} if run.only is None else {"billing_month": f"{run.only:%Y-%m}"}
        return self.jobs.billing(
            "generate_invoices", on=run.on, dag_run_id=dag_run_id, tenant=self.association.code, **month, **params
        )

    def _run(self, run):
        tenant_id, dag_run_id = self.association.tenant_id, f"{self.association.code} {next(self.runs)}"
        self.database.run(
            "UPDATE accounts SET active = %s WHERE tenant_id = %s AND number = '1200'", run.can_post, tenant_id
        )
        try:
            expected = self.oracle.run(run.on, only=run.only, can_post=run.can_post)
        except Refused:
            for dry_run in (True, False):
                try:
                    self._bill(run, dag_run_id, dry_run=dry_run)
                except AirflowFailException:
                    continue
                raise AssertionError("the run was to be refused") from None
            return
        dry = self._bill(run, dag_run_id, dry_run=True)
        live = self._bill(run, dag_run_id)
        assert live.returned == dry.returned
        assert live.returned["invoiced"] == str(
            Decimal(sum(line.cents for row in expected for line in row.lines)).scaleb(-2)
        )
        assert self._judged(dag_run_id) == expected
        assert self._posted(dag_run_id) == [row for row in expected if row.action == "post"]

    def _judged(self, dag_run_id):
        """Return the rows of the plan that the live run carried out."""
        items = self.database.value(
            "SELECT items FROM run_tenants JOIN runs ON runs.id = run_id WHERE dag_run_id = %s AND tenant_id = %s",
            *(dag_run_id, self.association.tenant_id),
        )
        accounts = self._accounts()
        return [
            Row(
                date.fromisoformat(item["period"]),
                [str(unit) for unit in self.units].index(item["unit_id"]),
                [str(owner) for owner in self.owners].index(item["owner_id"]) if item["owner_id"] else None,
                item["action"],
                *(
                    (
                        date.fromisoformat(item["due_date"]),
                        tuple(
                            Line(
                                line["charge_kind"],
                                line["description"],
                                int(Decimal(line["amount"]) * 100),
                                accounts[line["account_id"]],
                            )
                            for line in item["lines"]
                        ),
                    )
                    if item["action"] == "post"
                    else ()
                ),
            )
            for item in items
        ]

    def _posted(self, dag_run_id):
        """Return what the run's invoices and their lines say, in the order of their numbers."""
        rows = self.database.rows(
            """
            SELECT invoices.*, lines.charge_kind, lines.description, lines.amount AS line_amount, lines.account_id
              FROM invoices
              JOIN runs ON runs.id = run_id AND dag_run_id = %s
              JOIN invoice_lines AS lines ON lines.tenant_id = invoices.tenant_id AND invoice_id = invoices.id
             WHERE invoices.tenant_id = %s
             ORDER BY natural_order(number), line_number
            """,
            *(dag_run_id, self.association.tenant_id),
        )
        accounts = self._accounts()
        posted = []
        for _, group in itertools.groupby(rows, key=lambda row: row["id"]):
            lines = list(group)
            invoice = lines[0]
            assert invoice["invoice_date"] == invoice["period"]
            assert invoice["amount"] == sum(line["line_amount"] for line in lines)
            posted.append(
                Row(
                    invoice["period"],
                    self.units.index(invoice["unit_id"]),
                    self.owners.index(invoice["owner_id"]),
                    "post",
                    invoice["due_date"],
                    tuple(
                        Line(
                            line["charge_kind"],
                            line["description"],
                            int(line["line_amount"] * 100),
                            accounts[str(line["account_id"])],
                        )
                        for line in lines
                    ),
                )
            )
        return posted

    def _accounts(self):
        rows = self.database.rows(
            "SELECT id::text AS id, number FROM accounts WHERE tenant_id = %s", self.association.tenant_id
        )
        return {row["id"]: row["number"] for row in rows}

    def _void(self, number):
        standing = [invoice for invoice in self.oracle.invoices if not invoice.is_void]
        if not standing:
            return
        void = standing[number % len(standing)]
        void.is_void = True
        [row] = self.database.rows(
            "SELECT * FROM invoices WHERE tenant_id = %s AND unit_id = %s AND owner_id = %s AND period = %s"
            " AND status <> 'void'",
            self.association.tenant_id,
            *(self.units[void.row.unit], self.owners[void.row.owner], void.row.month),
        )
        self.association.journal(row["invoice_date"], "4100", "1200", row["amount"], reverses=row["journal_entry_id"])
        self.database.run("UPDATE invoices SET status = 'void' WHERE id = %s", row["id"])

    def _new_amount(self, unit, number, amount):
        rows = self.charges[unit]
        if rows:
            self.oracle.units[unit].charges[number % len(rows)].cents = amount
            self.database.run(
                "UPDATE recurring_charges SET amount = %s WHERE id = %s",
                *(Decimal(amount).scaleb(-2), rows[number % len(rows)]),
            )

    def _new_shares(self, unit, cut):
        lasting = [ownership for ownership in self.oracle.units[unit].ownerships if ownership.last is None]
        if len(lasting) != 2:
            return
        for ownership, percentage in zip(lasting, (cut, 100 - cut), strict=True):
            ownership.percentage = percentage
            self.database.run(
                "UPDATE ownerships SET percentage = %s WHERE unit_id = %s AND owner_id = %s AND ends_on IS NULL",
                *(percentage, self.units[unit], self.owners[ownership.owner]),
            )


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(life=lives())
def test_every_unit_is_billed_in_every_month_as_computed_independently(database, jobs, books_in_order, life):
    terms, here, happenings = life
    built = Built(database, jobs, terms, here)
    for happening in happenings:
        built.happen(happening)
