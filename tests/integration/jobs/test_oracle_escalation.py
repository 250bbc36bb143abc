"""Random associations: the SQL decides, posts and divides as the oracle does."""

import itertools
from datetime import date, timedelta
from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.integration.jobs.oracle_escalation import (
    Decision,
    Neighborhood,
    Ownership,
    Step,
    Taken,
    Violation,
    decide,
    is_fair,
)

run_numbers = itertools.count(1)
NUMBERS = ("V-2", "V-9", "V-10", "V-11")
amounts = st.one_of(
    st.sampled_from([Decimal(0), Decimal("0.01"), Decimal(50), Decimal(100)]),
    st.integers(1, 30_000).map(lambda cents: Decimal(cents) / 100),
)
rarely = st.sampled_from([False] * 11 + [True])
schedules = st.none() | st.lists(st.builds(Step, amounts, st.integers(0, 8), rarely), min_size=2, max_size=4).map(tuple)
caps = st.sampled_from([None, Decimal("99.99"), Decimal("120.50"), Decimal("133.33"), Decimal(200)])


@st.composite
def unit_ownerships(draw, today):
    """Co-owners with odd percentages, between owners of the past and of the future."""
    cuts = sorted(draw(st.sets(st.integers(1, 999_999), max_size=3)))
    parts = [Decimal(end - start) / 10_000 for start, end in itertools.pairwise([0, *cuts, 1_000_000])]
    if draw(rarely):
        parts.pop()
    owners = st.integers(0, 3)
    in_force = [
        Ownership(
            draw(owners),
            part,
            today - timedelta(days=draw(st.sampled_from([0, 1, 400]))),
            draw(st.sampled_from([None, today, today + timedelta(days=1)])),
        )
        for part in parts
    ]
    past = Ownership(draw(owners), Decimal(100), date(2000, 1, 1), today - timedelta(days=1))
    future = Ownership(draw(owners), Decimal(100), today + timedelta(days=1), None)
    return tuple(in_force + draw(st.lists(st.sampled_from([past, future]), unique=True)))


@st.composite
def violations(draw, number, today):
    days_ago = sorted(draw(st.lists(st.integers(0, 20), max_size=3)), reverse=True)
    taken = [Taken(today - timedelta(days=days), draw(amounts), draw(rarely)) for days in days_ago]
    if taken and draw(rarely):
        taken[-1] = Taken(taken[-1].on, taken[-1].fine, waits_for_board=True)
    return Violation(
        number,
        draw(st.sampled_from([0, 0, 1])),
        draw(st.integers(0, 1)),
        draw(st.sampled_from(["open", "open", "escalated", "escalated", "cured"])),
        today - timedelta(days=draw(st.integers(0, 15))),
        tuple(taken),
    )


@st.composite
def neighborhoods(draw, today, grace):
    return Neighborhood(
        today,
        grace,
        draw(caps),
        draw(caps),
        draw(schedules),
        tuple(draw(schedules) for _ in range(2)),
        tuple(draw(unit_ownerships(today)) for _ in range(2)),
        # In any order: it is the numbers that count.
        tuple(draw(violations(number, today)) for number in draw(st.permutations(NUMBERS))),
    )


@st.composite
def days(draw):
    """A day, its grace, and the associations of that day."""
    today = draw(st.sampled_from([date(2026, 1, 4), date(2026, 1, 9), date(2025, 10, 29)]))
    grace = draw(st.sampled_from([0, 1, 2]))
    return today, grace, draw(st.lists(neighborhoods(today, grace), min_size=2, max_size=4))


class Built:
    """A neighborhood in the database, as an association of its own."""

    _codes = itertools.count(1)

    def __init__(self, database, neighborhood):
        self.database, self.neighborhood = database, neighborhood
        self.association = database.association(
            f"oracle-{next(self._codes)}",
            fine_cap_per_violation=neighborhood.cap_per_violation,
            fine_cap_per_year=neighborhood.cap_per_year,
        )
        self.owners = [self.association.owner(f"Owner {number}") for number in range(4)]
        self.units = [self.association.unit(f"U-{number}") for number in range(len(neighborhood.units))]
        self.kinds = [self.association.violation_type(f"Kind {number}") for number in range(2)]
        self.association.fine_schedule()
        self._schedule(None, neighborhood.default_schedule)
        for kind, schedule in zip(self.kinds, neighborhood.schedules, strict=True):
            self._schedule(kind, schedule)
        for unit, ownerships in zip(self.units, neighborhood.units, strict=True):
            for ownership in ownerships:
                self.association.ownership(
                    unit,
                    self.owners[ownership.owner],
                    percentage=ownership.percentage,
                    since=ownership.since,
                    until=ownership.until,
                )
        for violation in neighborhood.violations:
            self._violation(violation)

    def _schedule(self, kind, steps):
        if steps is None:
            return
        schedule = self.association.insert("fine_schedules", violation_type_id=kind["id"] if kind else None)
        for number, step in enumerate(steps, start=1):
            self.association.insert(
                "fine_schedule_steps",
                schedule_id=schedule["id"],
                step=number,
                name=f"Notice {number}",
                fine=step.fine,
                days_after_previous=step.days,
                requires_board_approval=step.needs_board,
            )

    def _violation(self, violation):
        row = self.association.violation(
            self.units[violation.unit],
            self.kinds[violation.kind],
            cure_deadline=violation.cure_deadline,
            number=violation.number,
            status=violation.status,
        )
        for step, taken in enumerate(violation.taken, start=1):
            escalation = self.association.insert(
                "violation_escalations",
                violation_id=row["id"],
                step=step,
                step_name=f"Notice {step}",
                escalated_on=taken.on,
                scheduled_fine=taken.fine,
                fine=0 if taken.waits_for_board else taken.fine,
                status="pending_approval" if taken.waits_for_board else "applied",
            )
            if taken.fine and not taken.waits_for_board:
                self._fine(violation, taken, escalation)

    def _fine(self, violation, taken, escalation):
        invoice = self.association.invoice(
            self.units[violation.unit],
            self.owners[0],
            taken.fine,
            on=taken.on,
            kind="fine",
            period=None,
            violation_escalation_id=escalation["id"],
            status="void" if taken.voided else "posted",
        )
        if taken.voided:
            self.association.journal(taken.on, "4100", "1200", taken.fine, reverses=invoice["journal_entry_id"])

    def decided(self):
        """Return what the latest run decided, by violation number."""
        items = self.database.value(
            "SELECT items FROM run_tenants WHERE tenant_id = %s ORDER BY recorded_at DESC LIMIT 1",
            self.association.tenant_id,
        )
        return {
            item["violation_number"]: Decision("post", item["step"], Decimal(item["fine"]))
            if item["action"] == "post"
            else Decision(item["action"])
            for item in items
        }

    def escalated(self):
        """Return the steps and fines that runs have recorded, by violation number."""
        rows = self.database.rows(
            """
            SELECT violation_number, step, fine FROM violation_escalations AS escalations
              JOIN violations ON violations.id = violation_id
             WHERE escalations.tenant_id = %s AND run_id IS NOT NULL AND violations.status = 'escalated'
            """,
            self.association.tenant_id,
        )
        return {row["violation_number"]: Decision("post", row["step"], row["fine"]) for row in rows}

    def shares(self):
        """Return by violation number what each owner was invoiced by runs, provided the journal says the same."""
        rows = self.database.rows(
            """
            SELECT violation_number, owner_id, invoices.amount,
                   sum(debit) FILTER (WHERE accounts.number = '1200') AS receivable,
                   sum(credit) FILTER (WHERE accounts.number = '4300') AS revenue
              FROM invoices
              JOIN violation_escalations AS escalations ON escalations.id = violation_escalation_id
              JOIN violations ON violations.id = violation_id
              JOIN journal_entry_lines ON entry_id = journal_entry_id
              JOIN accounts ON accounts.id = account_id
             WHERE invoices.tenant_id = %s AND invoices.run_id IS NOT NULL
             GROUP BY violation_number, owner_id, invoices.id, invoices.amount
            """,
            self.association.tenant_id,
        )
        shares = {}
        for row in rows:
            assert row["receivable"] == row["revenue"] == row["amount"]
            owner = next(n for n, owner in enumerate(self.owners) if owner["id"] == row["owner_id"])
            shares.setdefault(row["violation_number"], {})[owner] = row["amount"]
        return shares

    def check(self):
        """Compare what the latest run decided and posted with the oracle."""
        expected = decide(self.neighborhood)
        assert self.decided() == expected
        posted = {number: decision for number, decision in expected.items() if decision.action == "post"}
        assert self.escalated() == posted
        shares = self.shares()
        assert set(shares) == {number for number, decision in posted.items() if decision.fine}
        for violation in self.neighborhood.violations:
            if violation.number in shares:
                owners = self.neighborhood.owners_of(violation.unit)
                assert is_fair(posted[violation.number].fine, owners, shares[violation.number])
        trial_balance = self.database.rows(
            "SELECT sum(debit) AS debits, sum(credit) AS credits FROM journal_entry_lines WHERE tenant_id = %s",
            self.association.tenant_id,
        )[0]
        assert trial_balance["debits"] == trial_balance["credits"]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(day=days())
def test_escalation_matches_the_oracle(database, books_in_order, jobs, day):
    today, grace, neighborhoods = day
    database.run("UPDATE tenants SET status = 'inactive'")
    with database.connection.transaction():
        built = [Built(database, neighborhood) for neighborhood in neighborhoods]
    run = {"on": today, "days_grace": grace, "dag_run_id": f"run-{next(run_numbers)}"}
    dry = jobs.escalate(**run, dry_run=True)
    assert all(association.escalated() == {} for association in built)
    live = jobs.escalate(**run)
    assert live.returned == dry.returned
    assert [row for row in live.log if "→" in row] == [row for row in dry.log if "→" in row]
    for association in built:
        association.check()
    assert jobs.escalate(**run).returned["posted"] == 0
