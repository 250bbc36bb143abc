"""A forgotten transaction in one association does not stop the others, and programs that post beside the jobs do not
deadlock."""

import threading
from datetime import date

import psycopg
import pytest

from hoa_ops.errors import HoaOpsError
from hoa_ops.settings import get_settings

TODAY = date(2025, 10, 29)


@pytest.fixture(autouse=True)
def short_patience(monkeypatch):
    monkeypatch.setenv("AIRFLOW__HOA_OPS__LOCK_TIMEOUT_SECONDS", "1")
    get_settings.cache_clear()
    yield
    get_settings.cache_clear()


@pytest.fixture
def associations(database):
    found = [database.association(code) for code in ("elm-grove", "maple-court", "oak-hill")]
    for association in found:
        unit = association.unit(owner=association.owner())
        association.violation(unit, association.violation_type(), cure_deadline=date(2025, 10, 20))
    return found


@pytest.mark.parametrize("job", ["generate_invoices", "escalate_violations"])
def test_locked_association_fails_alone_is_named_and_tried_again(database, jobs, associations, job):
    dag_id = "hoa_monthly_billing" if job == "generate_invoices" else "hoa_violation_escalation"
    params = {"job": job} if job == "generate_invoices" else {}
    held = associations[1]
    with psycopg.connect(database.owner_dsn) as forgotten:
        forgotten.execute("SET search_path TO hoa_ops, hoa")
        forgotten.execute("SELECT next_document_number(%s, 'invoice')", [held.tenant_id])
        # Not an AirflowFailException: the task is tried again.
        with pytest.raises(HoaOpsError, match=r"1 association\(s\) could not be posted") as failure:
            jobs.run(dag_id, job, on=TODAY, **params)
        forgotten.rollback()
    assert "held rows locked for longer than 1 seconds (setting lock_timeout_seconds)" in str(failure.value)
    billed = database.rows("SELECT DISTINCT tenant_id FROM invoices")
    assert {row["tenant_id"] for row in billed} == {associations[0].tenant_id, associations[2].tenant_id}
    assert jobs.run(dag_id, job, on=TODAY, **params).returned["posted"] == 1
    assert database.value("SELECT count(*) FROM invoices WHERE tenant_id = %s", held.tenant_id) == 1


def test_numbers_taken_in_any_order_do_not_deadlock(database, associations):
    """A program may number the journal entry before the invoice; a job and another program go the other way."""
    tenant_id = associations[0].tenant_id
    failures = []

    def post(kinds):
        try:
            with psycopg.connect(database.owner_dsn) as connection:
                connection.execute("SET search_path TO hoa_ops, hoa")
                for _ in range(40):
                    for kind in kinds:
                        connection.execute("SELECT next_document_number(%s, %s)", [tenant_id, kind])
                    connection.commit()
        except psycopg.Error as error:
            failures.append(type(error).__name__)

    orders = [("invoice", "journal_entry"), ("journal_entry", "invoice")] * 2
    threads = [threading.Thread(target=post, args=(kinds,)) for kinds in orders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert failures == []
    last = database.rows("SELECT kind, last_number FROM document_counters WHERE tenant_id = %s", tenant_id)
    assert {row["kind"]: row["last_number"] for row in last} == {"invoice": 160, "journal_entry": 160}
