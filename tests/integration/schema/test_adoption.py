"""The route of docs/adopting.md, walked on another application's database: views, dry runs, the move, the way back."""

import csv
import itertools
import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Self

import psycopg
import pytest
from psycopg import errors
from psycopg.rows import dict_row

from devstack.postgres import EmbeddedPostgres
from hoa_ops.cli.main import main
from hoa_ops.errors import HoaOpsError
from hoa_ops.schema.migrations import migrate
from hoa_ops.schema.roles import Role, create_roles, grant_worker
from tests.integration.schema.test_schema import NEVER_INSTALLED, OLDEST
from tests.support.association import AssociationsDatabase
from tests.support.books import deviations_of_all
from tests.support.catalog import definitions
from tests.support.database import OWNER, PASSWORD, WORKER, go_live
from tests.support.job_runner import JobRunner

ROUTE = Path(__file__).resolve().parents[3] / "docs/adopting"
APPLICATION = "application"
SWITCH_OVER = date(2025, 10, 29)
FIRST, SIXTH, MONDAY = date(2025, 11, 1), date(2025, 11, 6), date(2025, 11, 10)

_numbers = itertools.count(1)


class Adoption:
    """An application's database, on its way to the package."""

    def __init__(self, server: EmbeddedPostgres, name: str) -> None:
        self.name = name
        self.server = server
        self.owner_dsn, self.worker_dsn, self.application_dsn = (
            server.dsn(name, role, PASSWORD) for role in (OWNER, WORKER, APPLICATION)
        )
        self.superuser_dsn = server.dsn(name)

    def copy(self) -> Self:
        """Return a copy of the database."""
        name = f"application_{next(_numbers)}"
        self.server.create_database(name, owner=APPLICATION, template=self.name)
        copied = type(self)(self.server, name)
        copied.run(f"GRANT CREATE ON DATABASE {name} TO {OWNER}", copied.superuser_dsn)
        return copied

    def run(self, statements: str, dsn: str | None = None, **parameters: Any) -> list[dict[str, Any]]:
        """Run statements as the application, or as who else is named; return the rows of the last."""
        with psycopg.connect(dsn or self.application_dsn, autocommit=True, row_factory=dict_row) as connection:
            cursor = connection.execute(statements.encode(), parameters or None)
            return cursor.fetchall() if cursor.description else []

    def run_file(self, name: str, dsn: str | None = None) -> None:
        self.run((ROUTE / name).read_text(), dsn or self.owner_dsn)

    def value(self, query: str, dsn: str | None = None) -> Any:
        return next(iter(self.run(query, dsn or self.superuser_dsn)[0].values()))

    def adopt(self) -> None:
        """Create what is missing, and give the jobs their rights."""
        migrate(self.owner_dsn, adopt=True)
        grant_worker(self.owner_dsn, WORKER)
        with psycopg.connect(self.owner_dsn) as connection:
            go_live(connection)

    def make_views(self) -> None:
        """Walk the first part of the route: dry runs are possible."""
        self.run_file("grants.sql", self.application_dsn)
        self.run(
            """
            INSERT INTO accounting_account
            SELECT key(schema_name, number), id, number, account.name, type, true
              FROM tenants_tenant
             CROSS JOIN (VALUES ('2200', 'Owner Prepayments', 'LIABILITY'), ('3900', 'Brought Over', 'EQUITY'))
                AS account (number, name, type)
            """
        )
        self.run_file("views.sql")
        self.adopt()

    def switch_over(self) -> None:
        """Walk the second part of the route: the jobs may run live."""
        self.run(f"GRANT UPDATE (status) ON accounting_violation TO {OWNER}")
        self.run_file("move.sql")
        self.adopt()
        self.run_file("import.sql")
        self.run_file("application.sql")
        self.show_the_views_to_the_application()

    def show_the_views_to_the_application(self) -> None:
        self.run(f"ALTER ROLE {APPLICATION} IN DATABASE {self.name} SET search_path = hoa_app, public")

    def check(self, capsys: pytest.CaptureFixture[str]) -> tuple[int, list[str]]:
        """Run check-tables; return its exit status and what it printed."""
        capsys.readouterr()
        status = main(["check-tables", "--dsn", self.owner_dsn, "--role", WORKER])
        return status, capsys.readouterr().out.splitlines()

    def deviations(self) -> list[str]:
        with AssociationsDatabase(self.owner_dsn, self.worker_dsn) as database:
            return deviations_of_all(database)

    def application_rows(self) -> dict[str, Any]:
        """Return what every table of the application holds."""
        tables = self.run(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename", self.superuser_dsn
        )
        return {
            table["tablename"]: self.run(
                f"SELECT kept::text FROM public.{table['tablename']} AS kept ORDER BY 1", self.superuser_dsn
            )
            for table in tables
        }


BOTH_SERVERS = pytest.mark.parametrize(
    "server",
    ["newest", pytest.param("oldest", marks=pytest.mark.skipif(not OLDEST.is_dir(), reason=NEVER_INSTALLED))],
    indirect=True,
)


@pytest.fixture(scope="module")
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """The newest PostgreSQL, unless a test asks for both."""
    if getattr(request, "param", "newest") == "newest":
        newest = request.getfixturevalue("postgres")
        create_application_role(newest)
        yield newest
        return
    with EmbeddedPostgres(tmp_path_factory.mktemp("oldest") / "data", durable=False, programs=OLDEST) as oldest:
        create_application_role(oldest)
        create_roles(
            oldest.dsn(), database="nobody_s", schema_owner=Role(OWNER, PASSWORD), worker=Role(WORKER, PASSWORD)
        )
        yield oldest


def create_application_role(server: EmbeddedPostgres) -> None:
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [APPLICATION]).fetchone():
            connection.execute(f"CREATE ROLE {APPLICATION} LOGIN PASSWORD '{PASSWORD}'")


@pytest.fixture(scope="module")
def application(server: EmbeddedPostgres) -> Adoption:
    """The application's database as it was; copied for every test, and so are the two below."""
    name = f"application_{next(_numbers)}"
    server.create_database(name, owner=APPLICATION)
    adoption = Adoption(server, name)
    # The owner may create schemas, and nothing of the application's is his.
    create_roles(server.dsn(), database=name, schema_owner=Role(OWNER), worker=Role(WORKER))
    adoption.run(f"ALTER SCHEMA public OWNER TO {APPLICATION}", adoption.superuser_dsn)
    adoption.run((Path(__file__).parent / "application.sql").read_text())
    return adoption


@pytest.fixture(scope="module")
def application_on_views(application: Adoption) -> Adoption:
    adoption = application.copy()
    adoption.make_views()
    return adoption


@pytest.fixture(scope="module")
def application_switched(application_on_views: Adoption) -> Adoption:
    adoption = application_on_views.copy()
    adoption.switch_over()
    return adoption


def connected(copied: Adoption, monkeypatch: pytest.MonkeyPatch) -> Adoption:
    """Let Airflow's Connection lead there as the role of the jobs."""
    monkeypatch.setenv("AIRFLOW_CONN_HOA_OPS_DB", copied.worker_dsn)
    return copied


@pytest.fixture
def adoption(application: Adoption, monkeypatch: pytest.MonkeyPatch) -> Adoption:
    """Before anything is done."""
    return connected(application.copy(), monkeypatch)


@pytest.fixture
def on_views(application_on_views: Adoption, monkeypatch: pytest.MonkeyPatch) -> Adoption:
    """Ready for dry runs."""
    return connected(application_on_views.copy(), monkeypatch)


@pytest.fixture
def switched(application_switched: Adoption, monkeypatch: pytest.MonkeyPatch) -> Adoption:
    """Ready for the jobs."""
    copied = connected(application_switched.copy(), monkeypatch)
    copied.show_the_views_to_the_application()
    return copied


@pytest.fixture
def plan(capsys: pytest.CaptureFixture[str]):
    """Runs the command ``plan``; gives what it printed."""

    def run(*arguments: str) -> str:
        capsys.readouterr()
        assert main(["plan", *arguments]) == 0
        return capsys.readouterr().out

    return run


def read(printed: str) -> list[dict[str, str]]:
    return list(csv.DictReader(printed.splitlines()))


def run_live(jobs: JobRunner, job: str, on: date, **params: Any) -> Any:
    match job:
        case "escalate_violations":
            return jobs.escalate(on=on, **params)
        case "check_budget_variances":
            return jobs.check_budgets(on=on, **params)
        case _:
            return jobs.billing(job, on=on, **params)


ALL_JOBS = {
    "generate_invoices": FIRST,
    "escalate_violations": FIRST,
    "assess_late_fees": SIXTH,
    "send_reminders": MONDAY,
    "check_budget_variances": MONDAY,
}


# The package's own tables. --------------------------------------------------------------------------------------


@BOTH_SERVERS
def test_adopting_an_empty_database_creates_what_migrating_does(server, capsys):
    migrated, adopted = (f"{kind}_{next(_numbers)}" for kind in ("migrated", "adopted"))
    for name in (migrated, adopted):
        server.create_database(name, owner=OWNER)
        for _twice in range(2):
            migrate(server.dsn(name, OWNER, PASSWORD), adopt=name == adopted)
    assert definitions(server.dsn(adopted)) == definitions(server.dsn(migrated))
    assert len(definitions(server.dsn(adopted))) > 300


def test_adopting_does_not_touch_existing_tables_and_cleans_up(on_views):
    before = definitions(on_views.superuser_dsn), on_views.application_rows()
    on_views.adopt()
    assert (definitions(on_views.superuser_dsn), on_views.application_rows()) == before
    schemas = on_views.run("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'hoa%' ORDER BY 1")
    assert [schema["nspname"] for schema in schemas] == ["hoa", "hoa_import", "hoa_ops"]


@BOTH_SERVERS
def test_keys_between_tables_are_kept_but_not_those_to_views(switched):
    keys = switched.run(
        "SELECT conrelid::regclass || ' ' || confrelid::regclass AS key FROM pg_constraint "
        "WHERE contype = 'f' AND conrelid::regclass::text LIKE 'hoa.%'",
        switched.superuser_dsn,
    )
    found = {row["key"] for row in keys}
    assert {
        "hoa.invoices hoa.journal_entries",
        "hoa.invoices hoa.violation_escalations",
        "hoa.invoice_lines hoa.invoices",
        "hoa.payment_applications hoa.payments",
        "hoa.payment_applications hoa.invoices",
        "hoa.journal_entry_lines hoa.journal_entries",
    } <= found
    assert not {key for key in found if key.endswith(("hoa.units", "hoa.owners", "hoa.accounts", "hoa.tenants"))}


# check-tables. --------------------------------------------------------------------------------------------------


@BOTH_SERVERS
def test_check_names_what_is_missing_at_every_step(adoption, capsys):
    adoption.run("CREATE SCHEMA hoa", adoption.owner_dsn)
    status, lines = adoption.check(capsys)
    assert status == 1
    assert (
        "✗ hoa.units is missing: create a view with that name, or run `python -m hoa_ops migrate --adopt` "
        "to create the table." in lines
    )
    assert "✗ hoa_ops.outbox is missing: run `python -m hoa_ops migrate`." in lines

    adoption.run("DROP SCHEMA hoa", adoption.owner_dsn)
    adoption.make_views()
    status, lines = adoption.check(capsys)
    assert (status, len(lines)) == (1, 1)
    assert lines[0].startswith(
        "✗ These are views and must be tables: hoa.invoice_lines, hoa.invoices, hoa.journal_entries, "
        "hoa.journal_entry_lines, hoa.payment_applications, hoa.violation_escalations. "
        "Views are enough for dry runs only: "
    )

    adoption.switch_over()
    assert adoption.check(capsys) == (0, ["✓ Tables, views, rows and rights are what the jobs need."])


UNITS = "DROP VIEW hoa.units; CREATE VIEW hoa.units AS SELECT tenant_id, id, unit_number FROM accounting_unit"
STATUSES = (
    "DROP VIEW hoa.unit_statuses; CREATE VIEW hoa.unit_statuses AS SELECT tenant_id, id AS unit_id, {} AS status,"
    " '1900-01-01'::date AS starts_on FROM accounting_unit"
)
CHARGES = (
    "DROP VIEW hoa.recurring_charges; CREATE VIEW hoa.recurring_charges AS SELECT tenant_id, id, id AS unit_id,"
    " 'assessment' AS charge_kind, 'Assessment' AS description, monthly_assessment{}, 'monthly' AS frequency,"
    " '1900-01-01'::date AS starts_on, NULL::date AS ends_on, NULL::integer AS installments, NULL::uuid AS account_id"
    " FROM accounting_unit"
)
SPOILED = {
    "DROP VIEW hoa.units": "hoa.units is missing: create a view",
    CHARGES.format(""): "hoa.recurring_charges has no column amount (numeric(15,2)): add it.",
    CHARGES.format("::float AS amount"): (
        "hoa.recurring_charges.amount is double precision but must be numeric(15,2): cast it in the view."
    ),
    CHARGES.format(" + 0.005 AS amount"): "6 row(s) in hoa.recurring_charges have more than 2 decimals in amount",
    STATUSES.format("status"): "6 row(s) in hoa.unit_statuses violate the rule (status = ANY (ARRAY['occupied'",
    STATUSES.format("nullif(lower(status), 'vacant')"): (
        "1 row(s) in hoa.unit_statuses have no status: fix the rows or the view."
    ),
    f"{UNITS}, generate_series(1, 2)": (
        "12 row(s) in hoa.units have the same tenant_id, unit_number as another row: fix the rows or the view."
    ),
    f"{UNITS} WHERE unit_number <> '104'": (
        "2 row(s) in hoa.ownerships refer by tenant_id, unit_id to rows that do not exist in hoa.units"
    ),
    "DROP TRIGGER set_status ON hoa.violations": (
        "hoa.violations.status cannot be updated through the view: select it unchanged"
    ),
    "ALTER VIEW hoa.units SET (security_invoker = on)": (
        "hoa.units is a view with security_invoker, and the worker has no rights on the tables behind it: ALTER VIEW"
    ),
    "DROP INDEX hoa.invoices_assessment_once": (
        "hoa.invoices has no unique index on btree (tenant_id, unit_id, owner_id, period) WHERE "
    ),
    "ALTER TABLE hoa.journal_entry_lines DISABLE TRIGGER balance": (
        "hoa.journal_entry_lines lacks the trigger balance, or it is disabled: run `python -m hoa_ops migrate`"
    ),
    "ALTER TABLE hoa.payment_applications ALTER id DROP DEFAULT": (
        "hoa.payment_applications.id has no default: ALTER TABLE hoa.payment_applications ALTER id SET DEFAULT"
    ),
    "ALTER TABLE hoa.payment_reminders ADD created_by text NOT NULL": (
        "hoa.payment_reminders.created_by is NOT NULL without a default, and the jobs do not set it"
    ),
    """
    CREATE OR REPLACE VIEW hoa.owner_credits AS
    SELECT tenant_id, owner_id, id AS payment_id, received_on, amount::numeric AS unapplied FROM hoa_import.payments
    """: "hoa.owner_credits reads hoa_import.payments, not hoa.payments: drop it",
    "DROP FUNCTION hoa_ops.refuse": "The function hoa_ops.refuse is missing, or not the one of this release: run",
    """
    CREATE OR REPLACE FUNCTION hoa_ops.document_number(kind text, number bigint) RETURNS text LANGUAGE sql IMMUTABLE
    AS $$ SELECT 'NO-' || number $$
    """: "The function hoa_ops.document_number is missing, or not the one of this release: run",
    f"REVOKE SELECT ON hoa.units FROM {WORKER}": (
        f"{WORKER} lacks SELECT on hoa.units: run `python -m hoa_ops grant --role {WORKER}`."
    ),
    f"REVOKE EXECUTE ON FUNCTION hoa_ops.posting_account FROM {WORKER}": (
        f"{WORKER} lacks EXECUTE on hoa_ops.posting_account: run `python -m hoa_ops grant --role {WORKER}`."
    ),
    f"GRANT DELETE ON hoa.invoices TO {WORKER}": f"{WORKER} should not have DELETE on hoa.invoices: run",
    f"GRANT UPDATE (amount) ON hoa.invoices TO {WORKER}": f"{WORKER} should not have UPDATE on hoa.invoices.amount",
}


@pytest.mark.parametrize(("spoil", "sentence"), SPOILED.items())
def test_check_finds_what_would_go_wrong(switched, capsys, spoil, sentence):
    switched.run(f"SET search_path = public; {spoil}", switched.owner_dsn)
    status, lines = switched.check(capsys)
    assert status == 1
    assert [line for line in lines if sentence in line], lines


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (
            f"REVOKE SELECT ON public.accounting_unit FROM {OWNER}",
            "hoa.units cannot be read: permission denied for table",
        ),
        (
            f"REVOKE UPDATE ON public.accounting_violation FROM {OWNER}",
            "the rows that escalate_violations/lock.sql locks cannot be locked: permission denied for table",
        ),
    ],
)
def test_check_finds_what_the_application_did_not_grant(switched, capsys, spoil, sentence):
    switched.run(spoil + "; " + spoil.replace("UPDATE", "UPDATE (status)"))
    status, lines = switched.check(capsys)
    assert status == 1
    assert [line for line in lines if sentence in line], lines


def test_check_changes_nothing(switched, capsys):
    before = definitions(switched.superuser_dsn), switched.application_rows()
    switched.check(capsys)
    assert (definitions(switched.superuser_dsn), switched.application_rows()) == before


def test_check_refuses_a_role_that_does_not_exist(adoption, capsys):
    assert main(["check-tables", "--dsn", adoption.owner_dsn, "--role", "nobody"]) == 1
    assert "there is no role 'nobody'" in capsys.readouterr().err


# On views. ------------------------------------------------------------------------------------------------------


def test_books_can_be_checked_before_anything_is_moved(on_views):
    deviations = on_views.deviations()
    assert [line for line in deviations if "the counter of" not in line] == []
    assert len(deviations) == 4
    # Posted straight to the ledger, past the invoices.
    on_views.run(
        """
        INSERT INTO accounting_journalentry
        VALUES (key('x'), key('maple_court'), 'JE-00013', '2025-10-12', 'x', '2025-10-12');
        INSERT INTO accounting_journalentryline
        VALUES (key('x1'), key('maple_court'), key('x'), 1, key('maple_court', '1200'), 7, 0),
               (key('x2'), key('maple_court'), key('x'), 2, key('maple_court', '4100'), 0, 7)
        """
    )
    left = on_views.value(
        "SELECT sum(debit - credit) FROM hoa.journal_entry_lines JOIN hoa.accounts ON accounts.id = account_id "
        "WHERE number = '3900'"
    )
    assert left == 7, "account 3900 says by how much the application's books were wrong"


@pytest.mark.parametrize("job", ["generate_invoices", "assess_late_fees", "escalate_violations"])
def test_live_run_on_views_is_refused_and_changes_no_application_table(on_views, jobs, job):
    before = on_views.application_rows()
    with pytest.raises(HoaOpsError, match="could not be posted"):
        run_live(jobs, job, SIXTH)
    assert on_views.application_rows() == before


def test_budget_variance_runs_live_on_views_alone(on_views, jobs):
    before = on_views.application_rows()
    assert jobs.check_budgets(on=MONDAY).returned["posted"] == 1
    assert "Variance: $2,500.00 (+20.8%) - WARNING" in jobs.last.text
    assert jobs.check_budgets(on=MONDAY, dag_run_id="again").returned["posted"] == 0
    assert on_views.application_rows() == before
    assert on_views.value("SELECT count(*) FROM hoa_ops.outbox") == 2


def test_reminders_run_live_on_views_alone(on_views, jobs):
    before = on_views.application_rows()
    assert jobs.billing("send_reminders", on=MONDAY).returned["posted"] == 2
    assert jobs.billing("send_reminders", on=MONDAY, dag_run_id="again").returned["posted"] == 0
    assert on_views.application_rows() == before


def test_live_runs_on_views_do_not_block_the_move(on_views, jobs):
    jobs.check_budgets(on=date(2025, 10, 27))
    jobs.billing("send_reminders", on=date(2025, 10, 27))
    on_views.switch_over()
    assert on_views.deviations() == []
    # Within the cooldown, and as bad as it was.
    assert jobs.billing("send_reminders", on=SWITCH_OVER).returned["posted"] == 0
    assert jobs.billing("generate_invoices", on=FIRST).returned["posted"] == 6
    assert on_views.deviations() == []


def test_worker_reaches_the_application_s_tables_only_through_the_views(switched):
    switched.run("SELECT full_name FROM hoa.owners", switched.worker_dsn)
    for refused in (
        "SELECT * FROM public.accounting_owner",
        "UPDATE public.accounting_violation SET status = 'closed'",
        "UPDATE hoa.violations SET description = ''",
        "UPDATE hoa.recurring_charges SET amount = 0",
        "DELETE FROM hoa.violations",
        "SELECT * FROM hoa_import.invoices",
        "INSERT INTO hoa_app.accounting_payment (id) VALUES (NULL)",
    ):
        with pytest.raises(errors.InsufficientPrivilege):
            switched.run(refused, switched.worker_dsn)


def test_nobody_but_owner_and_worker_may_execute_a_function_of_the_package(switched):
    open_to_all = switched.run(
        "SELECT oid::regprocedure::text FROM pg_proc WHERE has_function_privilege('public', oid, 'EXECUTE') "
        "AND pronamespace IN ('hoa'::regnamespace, 'hoa_ops'::regnamespace, 'hoa_app'::regnamespace)",
        switched.superuser_dsn,
    )
    assert open_to_all == []


def test_violation_is_locked_in_the_application_s_table_through_the_view(switched):
    lock = "SELECT id FROM hoa.violations WHERE status = 'open' FOR NO KEY UPDATE"
    cure = "SET lock_timeout = 200; UPDATE public.accounting_violation SET status = 'resolved' WHERE status = 'open'"
    with psycopg.connect(switched.worker_dsn) as worker:
        assert worker.execute(lock).fetchall()
        with pytest.raises(errors.LockNotAvailable):
            switched.run(cure)
    switched.run(cure)


# Beside the old jobs. -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("job", "on"), ALL_JOBS.items(), ids=ALL_JOBS)
def test_plan_is_what_the_live_run_then_posts(switched, jobs, plan, job, on):
    before = switched.application_rows(), definitions(switched.superuser_dsn)
    printed = plan(job, "--as-of", str(on))
    assert (switched.application_rows(), definitions(switched.superuser_dsn)) == before
    rows = read(printed)
    live = run_live(jobs, job, on).returned
    assert sum(row["action"] == "post" for row in rows) == live["posted"] > 0
    assert sum(row["action"] == "skip" for row in rows) == live["skipped"]
    posted = sum(Decimal(row["amount"]) for row in rows if row["action"] == "post")
    total = next(
        Decimal(live[name]) for name in ("invoiced", "late_fees", "reminded_of", "fines", "unfavorable") if name in live
    )
    assert posted == total


@pytest.mark.parametrize(("job", "on"), ALL_JOBS.items(), ids=ALL_JOBS)
def test_plan_holds_no_personal_data(on_views, plan, job, on):
    printed = plan(job, "--as-of", str(on))
    for personal in ("Example", "example.com", "Street", "Ann", "Ben", "Cora", "Dan", "payment plan reason", "boat"):
        assert personal not in printed


def test_plan_takes_the_job_s_options_and_refuses_invalid_ones(on_views, plan, capsys):
    assert {row["association"] for row in read(plan("generate_invoices", "--as-of", "2025-11-01"))} == {
        "maple-court",
        "oak-terrace",
    }
    december = read(
        plan("generate_invoices", "--as-of", "2025-11-01", "--billing-month", "2025-12", "--tenant", "oak-terrace")
    )
    assert [(row["association"], row["period"]) for row in december] == [("oak-terrace", "2025-12-01")]
    patient = read(plan("assess_late_fees", "--as-of", "2025-11-06", "--days-grace", "300"))
    assert {row["action"] for row in patient} == {"skip"}
    quiet = read(plan("check_budget_variances", "--as-of", "2025-11-10", "--warning-threshold", "25"))
    assert [row["reason"] for row in quiet] == ["within the thresholds"]
    for arguments, complaint in (
        (["generate_invoices", "--as-of", "2025-11-01", "--tenant", "nowhere"], "no association has the code"),
        (
            ["check_budget_variances", "--as-of", "2025-11-10", "--critical-threshold", "5"],
            "is below warning_threshold",
        ),
    ):
        assert main(["plan", *arguments]) == 1
        assert complaint in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["plan", "send_reminders", "--as-of", "2025-11-10", "--billing-month", "2025-11"])
    with pytest.raises(SystemExit):
        main(["plan", "generate_invoices", "--as-of", "soon"])
    assert "--as-of: 'soon' is not a day: write the date as YYYY-MM-DD" in capsys.readouterr().err


def test_association_that_cannot_be_planned_is_named_and_the_others_are_printed(on_views, capsys):
    on_views.run("UPDATE accounting_account SET is_active = false WHERE id = key('oak_terrace', '4100')")
    assert main(["plan", "generate_invoices", "--as-of", "2025-11-01"]) == 1
    printed = capsys.readouterr()
    assert "oak-terrace could not be planned: no active account 4100" in printed.err
    assert {row["association"] for row in read(printed.out)} == {"maple-court"}


def old_invoices(adoption: Adoption) -> str:
    """Do what the old job does on the 1st, and return it as the page's query exports it."""
    adoption.run(
        """
        INSERT INTO accounting_invoice
        SELECT key('old', unit.id::text), unit.tenant_id, 'INV-0010' || right(unit_number, 1), 'ASSESSMENT', unit.id,
               owner_id, '2025-11-01', '2025-11-01', monthly_assessment, 0, 'SENT'
          FROM accounting_unit AS unit
          JOIN LATERAL (SELECT owner_id FROM accounting_ownership WHERE unit_id = unit.id AND is_current
                         ORDER BY ownership_percentage DESC LIMIT 1) AS owner ON true
         WHERE status = 'OCCUPIED'
        """
    )
    rows = adoption.run(
        """
        SELECT replace(schema_name, '_', '-') AS association, unit_number,
               date_trunc('month', invoice_date)::date AS period, total_amount AS amount
          FROM accounting_invoice AS invoice
          JOIN accounting_unit AS unit ON unit.id = invoice.unit_id
          JOIN tenants_tenant AS tenant ON tenant.id = invoice.tenant_id
         WHERE invoice_type = 'ASSESSMENT' AND invoice_date = '2025-11-01' AND invoice.status <> 'CANCELLED'
         ORDER BY 1, 2
        """
    )
    return "\n".join([",".join(rows[0]), *(",".join(map(str, row.values())) for row in rows)])


@pytest.fixture
def compare(tmp_path, capsys):
    def run(ours: str, theirs: str) -> tuple[int, list[str]]:
        (tmp_path / "plan.csv").write_text(ours)
        (tmp_path / "old.csv").write_text(theirs)
        capsys.readouterr()
        status = main(["compare", str(tmp_path / "plan.csv"), str(tmp_path / "old.csv")])
        printed = capsys.readouterr()
        return status, (printed.out + printed.err).splitlines()

    return run


def test_comparison_shows_what_the_old_job_did_differently(on_views, plan, compare):
    ours = plan("generate_invoices", "--as-of", "2025-11-01")
    theirs = old_invoices(on_views)
    assert compare(ours, theirs) == (
        1,
        [
            "Only in the plan: 1 row(s), $250.00",
            "  maple-court, 103, 2025-11-01: $250.00",
            "The same: 4 row(s)",
            "Totals: plan $1,250.00, other file $1,000.00, difference $250.00",
        ],
    )
    twice = theirs.replace("maple-court,101,2025-11-01,250.00", "maple-court,101,2025-11-01,250.00\n" * 2, 1)
    assert "  maple-court, 101, 2025-11-01: plan $250.00, other file $500.00" in compare(ours, twice)[1]
    vacant = theirs + "\nmaple-court,105,2025-11-01,250.00"
    status, lines = compare(ours, vacant)
    assert status == 1
    assert "  maple-court, 105, 2025-11-01: $250.00 (the plan leaves it alone: the unit is vacant)" in lines
    # What the old job has billed meanwhile is in the views, so a later plan bills only what it left out.
    later = read(plan("generate_invoices", "--as-of", "2025-11-01", "--tenant", "maple-court"))
    assert [row["unit_number"] for row in later if row["action"] == "post"] == ["103"]


def test_comparison_of_equal_results_finds_no_difference(on_views, plan, compare):
    ours = plan("generate_invoices", "--as-of", "2025-11-01")
    theirs = old_invoices(on_views) + "\nmaple-court,103,2025-11-01,250.00"
    assert compare(ours, theirs) == (
        0,
        ["The same: 5 row(s)", "Totals: plan $1,250.00, other file $1,250.00, difference $0.00"],
    )


# The switch-over. -----------------------------------------------------------------------------------------------


@BOTH_SERVERS
def test_books_are_in_order_after_the_move_and_application_rows_are_unchanged(on_views):
    before = on_views.application_rows()
    on_views.switch_over()
    assert on_views.deviations() == []
    assert on_views.application_rows() == before
    open_items = on_views.value("SELECT sum(balance) FROM hoa.invoice_balances")
    assert open_items == 150 + 250 + 25 + 50 + 250 + 250
    assert on_views.value("SELECT sum(unapplied) FROM hoa.owner_credits") == 40


@BOTH_SERVERS
def test_every_job_runs_live_and_again_posts_nothing(switched, jobs):
    for job, on in ALL_JOBS.items():
        assert run_live(jobs, job, on).returned["posted"] > 0, job
        assert switched.deviations() == []
    for job, on in ALL_JOBS.items():
        assert run_live(jobs, job, on, dag_run_id=f"again {job}").returned["posted"] == 0, job
    assert switched.deviations() == []


def test_what_the_old_jobs_charged_is_not_charged_again(switched, jobs):
    assert jobs.billing("generate_invoices", on=SWITCH_OVER).returned["posted"] == 0
    jobs.billing("generate_invoices", on=FIRST)
    assert switched.value("SELECT min(period) FROM hoa.invoices WHERE run_id IS NOT NULL") == FIRST
    assert switched.value("SELECT min(number) FROM hoa.invoices WHERE run_id IS NOT NULL") == "INV-00002"
    numbers = switched.run(
        "SELECT number FROM hoa.invoices JOIN hoa.tenants ON tenants.id = tenant_id WHERE code = 'maple-court' "
        "ORDER BY number DESC LIMIT 1",
        switched.superuser_dsn,
    )
    assert numbers == [{"number": "INV-00013"}]
    jobs.billing("assess_late_fees", on=SIXTH)
    assert "already charged, INV-00004" in jobs.last.text
    jobs.escalate(on=FIRST)
    assert "VIOL-2025-001 - Unit 101 - Step 2 - Fine: $100.00" in jobs.last.text


def test_prepayments_are_applied(switched, jobs):
    assert jobs.billing("generate_invoices", on=FIRST).returned["credit_applied"] == "40.00"
    assert switched.value("SELECT count(*) FROM hoa.owner_credits") == 0


def test_first_live_run_can_be_narrowed_to_one_association(switched, jobs):
    jobs.billing("generate_invoices", on=FIRST, tenant="oak-terrace")
    billed = switched.run(
        "SELECT DISTINCT code FROM hoa.invoices JOIN hoa.tenants ON tenants.id = tenant_id WHERE run_id IS NOT NULL",
        switched.superuser_dsn,
    )
    assert billed == [{"code": "oak-terrace"}]


def test_import_is_all_or_nothing_and_check_tables_says_so_first(on_views, capsys):
    on_views.run(
        "INSERT INTO accounting_invoice SELECT key('twice'), tenant_id, 'INV-00009', invoice_type, unit_id, owner_id, "
        "'2025-10-15', '2025-10-15', 250, 0, 'SENT' FROM accounting_invoice WHERE id = key('maple_court', 'INV-00006')"
    )
    found = "2 row(s) in hoa.invoices have the same tenant_id, unit_id, owner_id, period as another row"
    assert [line for line in on_views.check(capsys)[1] if found in line]
    with pytest.raises(errors.UniqueViolation, match="invoices_assessment_once"):
        on_views.switch_over()
    assert on_views.value("SELECT count(*) FROM hoa.journal_entries") == 0


# The application afterwards. ------------------------------------------------------------------------------------


def test_application_sees_what_the_jobs_post_under_its_own_names(switched, jobs):
    jobs.billing("generate_invoices", on=FIRST)
    jobs.escalate(on=FIRST)
    invoices = switched.run("SELECT * FROM accounting_invoice WHERE invoice_date = '2025-11-01' ORDER BY invoice_type")
    assert {invoice["invoice_type"] for invoice in invoices} == {"ASSESSMENT", "FINE"}
    # Ann's 40 went to the oldest assessment that she owes, not to the fine before it.
    paid = switched.run("SELECT amount_paid, status FROM accounting_invoice WHERE invoice_number = 'INV-00006'")
    assert paid == [{"amount_paid": Decimal("40.00"), "status": "SENT"}]
    statuses = switched.run("SELECT status FROM accounting_violation ORDER BY violation_number")
    assert [row["status"] for row in statuses] == ["escalated", "escalated", "resolved"]
    assert switched.value("SELECT count(*) FROM public.accounting_invoice WHERE invoice_date = '2025-11-01'") == 0


def test_application_records_payments_and_entries_in_the_new_ledger(switched, jobs):
    switched.run(
        "INSERT INTO accounting_payment VALUES "
        "(gen_random_uuid(), key('maple_court'), key('maple_court', 'Ben'), '2025-10-30', 425, 'CHECK', '77')"
    )
    switched.run(
        """
        SELECT hoa_app.post_entry(key('maple_court'), '2025-10-30', 'Mowing', 'manual',
                                  '[{"account": "5100", "debit": 900}, {"account": "1000", "credit": 900}]')
        """
    )
    assert switched.deviations() == []
    with pytest.raises(errors.CheckViolation, match="does not balance"):
        switched.run(
            """
            SELECT hoa_app.post_entry(key('maple_court'), '2025-10-30', 'Mowing', 'manual',
                                      '[{"account": "5100", "debit": 900}, {"account": "1000", "credit": 90}]')
            """
        )
    # Ben has paid all that he owed.
    jobs.billing("assess_late_fees", on=SIXTH)
    covered = "INV-00007 - Overdue by 36 days - Balance: $0.00\n    Skipped: covered by unapplied payments"
    assert covered in jobs.last.text
    jobs.check_budgets(on=MONDAY)
    assert "Actual: $15,400.00" in jobs.last.text


@BOTH_SERVERS
def test_way_back_copies_what_was_posted_and_keeps_the_rest(switched, jobs):
    before = switched.application_rows()
    for job, on in ALL_JOBS.items():
        run_live(jobs, job, on)
    switched.run(
        "INSERT INTO accounting_payment VALUES "
        "(gen_random_uuid(), key('maple_court'), key('maple_court', 'Ben'), '2025-11-12', 60, 'CHECK', '77')"
    )
    expected = switched.run("SELECT id, total_amount, amount_paid FROM accounting_invoice ORDER BY id")
    for _twice in range(2):
        switched.run_file("way_back.sql", switched.superuser_dsn)
    switched.run(f"ALTER ROLE {APPLICATION} IN DATABASE {switched.name} RESET search_path")
    switched.run("DROP SCHEMA hoa_app, hoa_import, hoa, hoa_ops CASCADE", switched.superuser_dsn)
    assert switched.run("SELECT id, total_amount, amount_paid FROM accounting_invoice ORDER BY id") == expected
    balances = switched.run(
        """
        SELECT account_number, sum(debit_amount - credit_amount) AS balance
          FROM accounting_journalentryline AS line
          JOIN accounting_account AS account ON account.id = line.account_id
         GROUP BY account_number
        """
    )
    ledger = {row["account_number"]: row["balance"] for row in balances}
    owed = sum(
        invoice["total_amount"] - invoice["amount_paid"]
        for invoice in switched.run(
            "SELECT total_amount, amount_paid FROM accounting_invoice WHERE status <> 'CANCELLED'"
        )
    )
    assert ledger["1200"] == owed
    assert -ledger["2200"] == 60, "what Ben paid ahead"
    after = switched.application_rows()
    for table, rows in before.items():
        if table not in {"accounting_invoice", "accounting_violation"}:
            assert [row for row in rows if row not in after[table]] == [], f"{table} has lost rows"


def test_dropping_the_package_before_the_switch_over_does_not_touch_the_application(on_views):
    before = on_views.application_rows()
    on_views.run("DROP SCHEMA hoa_import, hoa, hoa_ops CASCADE", on_views.owner_dsn)
    assert on_views.application_rows() == before


def test_page_names_every_file_of_the_route():
    page = (ROUTE.parent / "adopting.md").read_text()
    assert {path.name for path in ROUTE.glob("*.sql")} == set(re.findall(r"\(adopting/(\w+\.sql)\)", page))
