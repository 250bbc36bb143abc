"""The scheduler was down over the 1st: what it missed is billed when it comes back, each month once."""

from datetime import datetime
from zoneinfo import ZoneInfo

import psycopg
import pytest
from dateutil.relativedelta import relativedelta

from devstack.waiting import wait_until
from tests.support.association import AssociationsDatabase

BILLING = "hoa_monthly_billing"


@pytest.fixture
def only_association(stack):
    """An association of this test's own, the only active one: what is scheduled today is not for the demo's."""
    with AssociationsDatabase(stack.owner_dsn, stack.associations.worker_dsn) as database:
        active = "UPDATE tenants SET status = CASE WHEN {} THEN 'active' ELSE 'inactive' END"
        association = database.association()
        for number in ("101", "102"):
            association.unit(number, owner=association.owner(email="ann@maple-court.example"))
        database.run(active.format("id = %s"), association.tenant_id)
        # The outage began after the deployment had gone live.
        live_since = database.value("SELECT max(decided_at) FROM go_live_decisions")
        database.run("UPDATE go_live_decisions SET decided_at = '2025-01-01'")
        yield association
        database.run("UPDATE go_live_decisions SET decided_at = %s", live_since)
        database.run(active.format("id <> %s"), association.tenant_id)


def test_months_missed_in_an_outage_are_billed_once_each(stack, api, only_association, request):
    this_month = datetime.now(ZoneInfo("America/New_York")).date().replace(day=1)
    months = [this_month - relativedelta(months=ago) for ago in (3, 2, 1, 0)]
    api.wait_for_dags([BILLING])
    for dag_id in api.dag_ids():
        api.pause(dag_id)
    api.unpause(BILLING)
    last_before_outage = api.trigger(BILLING, {"job": "generate_invoices", "as_of": months[0].isoformat()})
    assert api.wait_for_run(BILLING, last_before_outage) == "success"

    request.getfixturevalue("scheduler_that_keeps_schedules")

    def scheduled_runs():
        runs = api.get(f"dags/{BILLING}/dagRuns?run_type=scheduled")["dag_runs"]
        return [run["dag_run_id"] for run in runs]

    wait_until(lambda: bool(scheduled_runs()), "no run was scheduled", limit=60)
    (run_id,) = scheduled_runs()
    assert api.wait_for_run(BILLING, run_id) == "success"
    with psycopg.connect(stack.owner_dsn, options="-c search_path=hoa_ops,hoa") as connection:
        billed = connection.execute(
            """
            SELECT invoices.period, count(*), count(DISTINCT (unit_id, owner_id)), sum(amount)
              FROM invoices
             WHERE kind = 'assessment' AND period >= %s
             GROUP BY period ORDER BY period
            """,
            [months[0]],
        ).fetchall()
    assert [row[0] for row in billed] == months
    assert len({row[1:] for row in billed}) == 1
    assert all(count == distinct for _, count, distinct, _ in billed)
