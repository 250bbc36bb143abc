"""What a database holds, in a form that two databases can be compared by: without ids and moments of the clock."""

import re
from collections.abc import Mapping

import psycopg

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
MOMENT = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?[+-]\d\d(:?\d\d)?")
ATTEMPTS = {"run_tenants", "outbox_alarms", "runs", "installation"}
"""Tables about attempts: a retry rightly leaves another row, or other counts of what was skipped."""

COLUMNS = """
    SELECT tables.table_schema, tables.table_name,
           string_agg(format('%I', columns.column_name), ', ' ORDER BY columns.ordinal_position)
      FROM information_schema.tables JOIN information_schema.columns USING (table_schema, table_name)
     WHERE tables.table_schema IN ('hoa', 'hoa_ops') AND tables.table_type = 'BASE TABLE'
       AND columns.data_type <> 'xid8'
     GROUP BY tables.table_schema, tables.table_name
     ORDER BY tables.table_schema, tables.table_name
"""
"""The tables with their columns, but for the numbers of transactions."""


def picture(dsn: str) -> Mapping[str, list[str]]:
    """Return the rows of every table of the project, as sorted text.

    Ids, numbers of transactions and moments of the clock differ from one database to the next; they are left out. So is
    what is about attempts, but for the sums of money that the runs posted.

    :param dsn: URL of the database, as the schema owner.
    """
    with psycopg.connect(dsn) as connection:
        tables = connection.execute(COLUMNS).fetchall()
        found = {
            table: sorted(
                MOMENT.sub("<moment>", UUID.sub("<id>", row))
                for (row,) in connection.execute(
                    f"SELECT ROW({columns})::text FROM {schema}.{table}".encode()
                ).fetchall()
            )
            for schema, table, columns in tables
            if table not in ATTEMPTS
        }
        totals = connection.execute("SELECT job, dag_run_id, totals::text, status FROM hoa_ops.runs ORDER BY 1, 2")
        return found | {"runs": [str(row) for row in totals.fetchall()]}
