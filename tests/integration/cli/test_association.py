"""One way to say which association is meant: in every command, in params and on the page."""

from datetime import date
from uuid import UUID

import pytest
from airflow.sdk.exceptions import AirflowFailException

from hoa_ops.associations import find_association
from hoa_ops.cli.main import main
from hoa_ops.database import Database
from hoa_ops.errors import RequestError
from hoa_ops.monitoring import history

NOVEMBER = date(2025, 11, 6)
SIGNED = ["--who", "Pat Lee", "--why", "test", "--on", "2025-11-07", "--dry-run"]
RUN = "manual__fees"


@pytest.fixture
def sunset(database):
    """An association in which everything can be asked for, beside another that is like it."""
    database.association("sunset")
    sunset = database.association("sunset-ridge", name="Sunset Ridge HOA")
    sunset.insert("late_fee_rules", fee_type="flat", flat_amount="25.00", effective_from=date(2025, 1, 1))
    owner = sunset.owner()
    sunset.insert("journal_entries", entry_number="E-1", entry_date=NOVEMBER, description="For check-books to find")
    sunset.invoice(sunset.unit("101", owner=owner), owner, "250.00", on=date(2025, 11, 1))
    return sunset


@pytest.fixture
def ways(sunset):
    """Ways to write it that a person would think the same."""
    return [
        "sunset-ridge", "Sunset-Ridge", "SUNSET-RIDGE", " sunset-ridge ", "\tsunset-ridge\n",
        "Sunset Ridge HOA", "sunset ridge hoa", " SUNSET RIDGE HOA ",
        str(sunset.tenant_id), str(sunset.tenant_id).upper(), f" {sunset.tenant_id} ",
    ]  # fmt: skip


COMMANDS = {
    "statement": lambda wanted: ["statement", "--tenant", wanted, "--unit", "101"],
    "aging": lambda wanted: ["aging", "--tenant", wanted],
    "check-books": lambda wanted: ["check-books", "--tenant", wanted],
    "plan": lambda wanted: ["plan", "send_reminders", "--as-of", "2025-11-10", "--tenant", wanted],
    "outbox list": lambda wanted: ["outbox", "list", "--tenant", wanted],
    "reverse --run": lambda wanted: [
        "reverse", "--run", RUN, "--job", "assess_late_fees", "--tenant", wanted, *SIGNED,
    ],
    "reverse --invoice": lambda wanted: ["reverse", "--invoice", wanted, "INV-00001", *SIGNED],
}  # fmt: skip


@pytest.fixture(params=COMMANDS)
def command(request, database, sunset, jobs, monkeypatch, capsys):
    """Runs a command for an association; gives its exit status and what it printed."""
    monkeypatch.setenv("HOA_OPS_OWNER_DSN", database.owner_dsn)
    jobs.run(
        "hoa_monthly_billing", "assess_late_fees", on=NOVEMBER, dag_run_id=RUN, job="assess_late_fees",
        tenant="sunset-ridge",
    )  # fmt: skip

    def run(wanted):
        capsys.readouterr()
        status = main(COMMANDS[request.param](wanted))
        printed = capsys.readouterr()
        return status, printed.out + printed.err

    return run


def test_every_command_finds_it_by_code_id_and_name(command, ways):
    found = {way: command(way) for way in ways}
    assert {status for status, _ in found.values()} <= {0, 1}
    assert len(set(found.values())) == 1
    assert "no association" not in found["sunset-ridge"][1]
    assert found["sunset-ridge"] != command("sunset")


def test_every_command_refuses_an_unknown_one_in_the_same_words(command):
    status, said = command("sunset ridge")
    assert status == 1
    assert said.startswith("no association has the code, id or name 'sunset ridge': the page HOA history and the table")


def test_params_find_it_by_code_id_and_name(jobs, ways):
    for way in ways:
        outcome = jobs.run("hoa_monthly_billing", "generate_invoices", on=NOVEMBER, dry_run=True, tenant=way,
                           job="generate_invoices")  # fmt: skip
        assert "unit 101" in outcome.text.lower(), way


@pytest.mark.parametrize("wanted", ["sunset ridge", "%", "x\0y", "' OR true --", str(UUID(int=7))])
def test_params_refuse_an_unknown_one(jobs, sunset, wanted):
    with pytest.raises(AirflowFailException) as refused:
        jobs.run("hoa_budget_variance", "check_params", on=NOVEMBER, tenant=wanted)
    assert f"no association has the code, id or name {wanted!r}: the page HOA history" in str(refused.value)


def test_page_finds_it_by_code_id_and_name(database, sunset, ways):
    with Database("hoa_ops_db") as connected, connected.transaction(read_only=True) as cursor:
        for way in ways:
            shown = history.association(cursor, way, at=database.value("SELECT now()"))["association"]
            assert shown.name == "Sunset Ridge HOA", way


@pytest.fixture
def find(database):
    def run(wanted):
        with Database("hoa_ops_db") as connected, connected.transaction(read_only=True) as cursor:
            return find_association(cursor, wanted)

    return run


@pytest.mark.parametrize("wanted", ["", " ", "\0", "sunset-ridge\0", "\udc80"])
def test_text_no_association_can_have_is_refused(sunset, find, wanted):
    with pytest.raises(RequestError, match="no association has the code, id or name"):
        find(wanted)


def test_ambiguous_name_is_refused_with_the_codes(database, find):
    for code in ("oaks-west", "oaks-east"):
        database.association(code, name="The Oaks")
    with pytest.raises(RequestError) as refused:
        find("the oaks")
    first_line, rest = str(refused.value).splitlines()
    # Alerts take the first line, and name no association but the one that was asked for.
    assert first_line == "2 associations have the name 'the oaks': use the code of one of them"
    assert rest == "(oaks-east, oaks-west)"


def test_code_wins_over_the_name_of_another_association(database, find):
    database.association("maple", name="Oaks")
    oaks = database.association("oaks", name="Maple")
    assert find("Oaks").tenant_id == oaks.tenant_id


def test_association_is_found_whatever_its_status(database, sunset, find):
    database.run("UPDATE tenants SET status = 'suspended'")
    assert find("Sunset Ridge HOA").status == "suspended"


def test_jobs_name_a_status_that_is_not_active(database, sunset, jobs):
    database.run("UPDATE tenants SET status = 'suspended'")
    with pytest.raises(AirflowFailException, match="the association 'Sunset Ridge HOA' is suspended; only active"):
        jobs.run("hoa_budget_variance", "check_params", on=NOVEMBER, tenant="Sunset Ridge HOA")
