"""What a database holds, in a form that two databases can be compared by: without ids and moments of the clock."""

import re
from collections.abc import Mapping

import psycopg

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
MOMENT = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?[+-]\d\d(:?\d\d)?")
ATTEMPTS = {"run_tenants", "outbox_alarms", "runs", "installation"}
"""Tables about attempts: a retry rightly leaves another row, or other counts of what was skipped."""


def picture(dsn: str) -> Mapping[str, list[str]]:
    """Return the rows of every table of the project, as sorted text.

    Ids differ from one database to the next, and so does the clock; both are left out. What is about attempts is left
    out as well, but for the sums of money that the runs posted.

    :param dsn: URL of the database, as the schema owner.
    """
    with psycopg.connect(dsn) as connection:
        tables = connection.execute(
            "SELECT schemaname, tablename FROM pg_tables WHERE schemaname IN ('hoa', 'hoa_ops') ORDER BY 1, 2"
        ).fetchall()
        found = {
            table: sorted(
                MOMENT.sub("<moment>", UUID.sub("<id>", row))
                for (row,) in connection.execute(f"SELECT {table}::text FROM {schema}.{table}".encode()).fetchall()
            )
            for schema, table in tables
            if table not in ATTEMPTS
        }
        totals = connection.execute("SELECT job, dag_run_id, totals::text, status FROM hoa_ops.runs ORDER BY 1, 2")
        return found | {"runs": [str(row) for row in totals.fetchall()]}
