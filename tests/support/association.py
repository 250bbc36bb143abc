"""The associations' database of a test, and builders for what a scenario needs in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from types import TracebackType
from typing import Any, Self
from uuid import UUID

import psycopg
from psycopg.rows import dict_row
from psycopg.sql import SQL, Identifier

from hoa_ops.settings import get_settings

Row = dict[str, Any]
ACCOUNTS = (
    ("1000", "Operating Cash", "asset"),
    ("1200", "Accounts Receivable", "asset"),
    ("2200", "Owner Prepayments", "liability"),
    ("4100", "Assessment Revenue", "revenue"),
    ("4200", "Late Fee Revenue", "revenue"),
    ("4300", "Fine Revenue", "revenue"),
    ("5100", "Landscaping", "expense"),
    ("5200", "Repairs & Maintenance", "expense"),
)

POSTING_ACCOUNTS = {"receivables": "1200", "prepayments": "2200", "assessments": "4100"}
"""What the builders post to, where the association does not say otherwise."""

LONG_AGO = date(1900, 1, 1)
"""The first day of what a migration carries over."""

FINE_SCHEDULE = (("50.00", 0), ("100.00", 6), ("150.00", 7))
"""The user's sample: run daily, fines on days 1, 7 and 14 after the cure deadline."""


class AssociationsDatabase:
    """Access to a test's database as the schema owner, who may do everything."""

    def __init__(self, owner_dsn: str, worker_dsn: str) -> None:
        self.owner_dsn = owner_dsn
        self.worker_dsn = worker_dsn

    def __enter__(self) -> Self:
        self.connection = self.connect()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.connection.close()

    def connect(self, dsn: str | None = None, **options: Any) -> psycopg.Connection[Row]:
        """Open another connection with the project's search path; autocommit unless said otherwise."""
        return psycopg.connect(
            dsn or self.owner_dsn,
            row_factory=dict_row,
            **{"autocommit": True, "options": f"-c search_path={get_settings().search_path.replace(' ', '')}"}
            | options,
        )

    def rows(self, sql: str, *parameters: Any) -> list[Row]:
        return self.connection.execute(sql.encode(), parameters).fetchall()

    def value(self, sql: str, *parameters: Any) -> Any:
        return next(iter(self.rows(sql, *parameters)[0].values()))

    def run(self, sql: str, *parameters: Any) -> None:
        self.connection.execute(sql.encode(), parameters)

    def insert(self, table: str, **values: Any) -> Row:
        """Insert one row and return it whole."""
        statement = SQL("INSERT INTO {} ({}) VALUES ({}) RETURNING *").format(
            Identifier(table),
            SQL(", ").join(map(Identifier, values)),
            SQL(", ").join(SQL("%s") for _ in values),
        )
        row = self.connection.execute(statement, list(values.values())).fetchone()
        assert row is not None
        return row

    def snapshot(self) -> dict[str, int]:
        """Return how many rows every table of both schemas has."""
        tables = self.rows(
            "SELECT schemaname, tablename FROM pg_tables WHERE schemaname IN ('hoa', 'hoa_ops') ORDER BY 1, 2"
        )
        return {
            table["tablename"]: self.value(f"SELECT count(*) FROM {table['schemaname']}.{table['tablename']}")
            for table in tables
        }

    def association(
        self,
        code: str = "maple-court",
        *,
        accounts: tuple[tuple[str, str, str], ...] = ACCOUNTS,
        posting_accounts: dict[str, str] | None = None,
        **values: Any,
    ) -> "Association":
        """Create an association with a chart of accounts (the usual one) and the usual fine schedule."""
        row = self.insert("tenants", **{"code": code, "name": code.replace("-", " ").title()} | values)
        own = posting_accounts or {}
        association = Association(self, row["id"], row["code"], row["name"], POSTING_ACCOUNTS | own)
        for number, name, kind in accounts:
            association.insert("accounts", number=number, name=name, type=kind)
        for purpose, number in own.items():
            association.insert("posting_accounts", purpose=purpose, account_number=number)
        association.fine_schedule(*FINE_SCHEDULE)
        return association


@dataclass
class Association:
    """One association of a scenario. Every builder returns the row that it inserted."""

    database: AssociationsDatabase
    tenant_id: UUID
    code: str
    name: str
    posting_accounts: dict[str, str]

    def insert(self, table: str, **values: Any) -> Row:
        return self.database.insert(table, tenant_id=self.tenant_id, **values)

    def account_id(self, number: str) -> UUID:
        account_id: UUID = self.database.value(
            "SELECT id FROM accounts WHERE tenant_id = %s AND number = %s", self.tenant_id, number
        )
        return account_id

    def owner(self, full_name: str = "Ann Owner", *, email: str | None = "ann@example.com", **values: Any) -> Row:
        return self.insert("owners", full_name=full_name, email=email, postal_address="1 Main Street", **values)

    def unit(
        self,
        unit_number: str = "101",
        *,
        owner: Row | None = None,
        monthly_assessment: Decimal | str | None = "250.00",
        status: str | None = "occupied",
        since: date = date(2020, 1, 1),
        **values: Any,
    ) -> Row:
        """Create a unit with a status and an assessment; with an owner, one who has owned all of it ``since`` that day.

        :param monthly_assessment: in dollars; None: no charge at all.
        :param status: None: none at all.
        """
        unit = self.insert("units", unit_number=unit_number, **values)
        if status is not None:
            self.unit_status(unit, status)
        if monthly_assessment is not None:
            self.charge(unit, monthly_assessment)
        if owner is not None:
            self.ownership(unit, owner, since=since)
        return unit

    def unit_status(self, unit: Row, status: str, *, since: date = LONG_AGO) -> Row:
        return self.insert("unit_statuses", unit_id=unit["id"], status=status, starts_on=since)

    def charge(
        self,
        unit: Row,
        amount: Decimal | str,
        *,
        kind: str = "assessment",
        description: str = "Assessment",
        since: date = LONG_AGO,
        until: date | None = None,
        account: str | None = None,
        **values: Any,
    ) -> Row:
        """Charge a unit again and again; monthly unless ``frequency`` says otherwise."""
        return self.insert(
            "recurring_charges",
            unit_id=unit["id"],
            charge_kind=kind,
            description=description,
            amount=amount,
            starts_on=since,
            ends_on=until,
            account_id=None if account is None else self.account_id(account),
            **values,
        )

    def ownership(
        self,
        unit: Row,
        owner: Row,
        *,
        percentage: Decimal | str | int = 100,
        since: date = date(2020, 1, 1),
        until: date | None = None,
    ) -> Row:
        return self.insert(
            "ownerships",
            unit_id=unit["id"],
            owner_id=owner["id"],
            percentage=percentage,
            starts_on=since,
            ends_on=until,
        )

    def contact(self, role: str = "treasurer", email: str | None = "treasurer@example.com") -> Row:
        return self.insert("contacts", role=role, full_name=f"The {role}", email=email)

    def violation_type(self, name: str = "Parking") -> Row:
        return self.insert("violation_types", name=name)

    def fine_schedule(self, *steps: tuple[str, int], violation_type: Row | None = None, **values: Any) -> None:
        """Give a type, or the association, a schedule of (fine, days after the previous step) for the one it has.

        Without steps it has none.
        """
        of_type = violation_type["id"] if violation_type else None
        self.database.run(
            """
            WITH schedule AS (
                SELECT id FROM fine_schedules WHERE tenant_id = %s AND violation_type_id IS NOT DISTINCT FROM %s),
            steps AS (DELETE FROM fine_schedule_steps USING schedule WHERE schedule_id = schedule.id)
            DELETE FROM fine_schedules USING schedule WHERE fine_schedules.id = schedule.id
            """,
            self.tenant_id,
            of_type,
        )
        if not steps:
            return
        schedule = self.insert("fine_schedules", violation_type_id=of_type)
        for number, (fine, days) in enumerate(steps, start=1):
            self.insert(
                "fine_schedule_steps",
                schedule_id=schedule["id"],
                step=number,
                name=f"Notice {number}",
                fine=fine,
                days_after_previous=days,
                **values,
            )

    def violation(
        self, unit: Row, violation_type: Row, *, cure_deadline: date, number: str = "V-1", **values: Any
    ) -> Row:
        return self.insert(
            "violations",
            violation_number=number,
            unit_id=unit["id"],
            violation_type_id=violation_type["id"],
            description="Something is wrong",
            reported_on=cure_deadline,
            cure_deadline=cure_deadline,
            **values,
        )

    def budget(self, name: str = "2025 Budget", *, year: int = 2025, **values: Any) -> Row:
        return self.insert(
            "budgets",
            **{
                "name": name,
                "period_label": str(year),
                "starts_on": date(year, 1, 1),
                "ends_on": date(year, 12, 31),
            }
            | values,
        )

    def budget_line(self, budget: Row, account: str, budgeted: Decimal | str, **values: Any) -> Row:
        return self.insert(
            "budget_lines",
            budget_id=budget["id"],
            account_id=self.account_id(account),
            budgeted=budgeted,
            **values,
        )

    def journal(
        self,
        on: date,
        debit: str,
        credit: str,
        amount: Decimal | str,
        *,
        reverses: UUID | None = None,
        source: str = "manual",
    ) -> UUID:
        """Post a two-line entry by hand, as a bookkeeper would, and return its id."""
        with self.database.connection.transaction():
            entry = self.insert(
                "journal_entries",
                entry_number=self.database.value("SELECT next_document_number(%s, 'journal_entry')", self.tenant_id),
                entry_date=on,
                description="By hand",
                source="reversal" if reverses else source,
                reverses_entry_id=reverses,
            )
            self.database.run(
                """
                INSERT INTO journal_entry_lines (tenant_id, entry_id, line_number, account_id, debit, credit)
                VALUES (%s, %s, 1, %s, %s, 0), (%s, %s, 2, %s, 0, %s)
                """,
                *(self.tenant_id, entry["id"], self.account_id(debit), amount),
                *(self.tenant_id, entry["id"], self.account_id(credit), amount),
            )
        entry_id: UUID = entry["id"]
        return entry_id

    def payment(self, owner: Row, amount: Decimal | str, *, on: date) -> Row:
        """Receive money from an owner: debit cash, credit prepayments; not applied to any invoice."""
        return self.insert(
            "payments",
            owner_id=owner["id"],
            received_on=on,
            amount=amount,
            journal_entry_id=self.journal(on, "1000", self.posting_accounts["prepayments"], amount),
        )

    def apply(self, payment: Row, invoice: Row, amount: Decimal | str, *, on: date) -> Row:
        """Apply a payment to an invoice by hand: debit prepayments, credit receivables."""
        return self.insert(
            "payment_applications",
            payment_id=payment["id"],
            invoice_id=invoice["id"],
            amount=amount,
            applied_on=on,
            journal_entry_id=self.journal(
                on, self.posting_accounts["prepayments"], self.posting_accounts["receivables"], amount
            ),
        )

    def invoice(
        self,
        unit: Row,
        owner: Row,
        amount: Decimal | str,
        *,
        on: date,
        due: date | None = None,
        number: str | None = None,
        lines: Sequence[tuple[str, Decimal | str]] = (),
        **values: Any,
    ) -> Row:
        """Post an assessment invoice by hand, with its lines and journal entry.

        :param lines: (charge kind, amount) each; without any, one line of the invoice's kind.
        """
        with self.database.connection.transaction():
            invoice = self.insert(
                "invoices",
                **{
                    "number": number
                    or self.database.value("SELECT next_document_number(%s, 'invoice')", self.tenant_id),
                    "kind": "assessment",
                    "unit_id": unit["id"],
                    "owner_id": owner["id"],
                    "invoice_date": on,
                    "due_date": due or on,
                    "period": on.replace(day=1),
                    "amount": amount,
                    "journal_entry_id": self.journal(
                        on, self.posting_accounts["receivables"], self.posting_accounts["assessments"], amount
                    ),
                }
                | values,
            )
            lines = lines or [(invoice["kind"], amount)]
            self.database.run(
                """
                INSERT INTO invoice_lines
                    (tenant_id, invoice_id, line_number, account_id, description, amount, charge_kind)
                SELECT %s, %s, line_number, %s, initcap(replace(charge_kind, '_', ' ')), amount, charge_kind
                  FROM unnest(%s::text[], %s::numeric[]) WITH ORDINALITY AS line (charge_kind, amount, line_number)
                """,
                *(self.tenant_id, invoice["id"], self.account_id(self.posting_accounts["assessments"])),
                *([kind for kind, _ in lines], [Decimal(of_line) for _, of_line in lines]),
            )
        return invoice
