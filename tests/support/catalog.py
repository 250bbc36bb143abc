"""What is defined in a database, read from PostgreSQL's catalogs, so that two databases can be compared."""

from typing import Any

import psycopg


def definitions(dsn: str) -> list[tuple[Any, ...]]:
    """Return everything that is defined in the two schemas, in PostgreSQL's words; the order of columns is left out."""
    with psycopg.connect(dsn) as connection:
        connection.execute("SET search_path = ''")
        return connection.execute(
            """
            WITH relations AS (
                SELECT oid, oid::regclass::text AS name, relkind
                  FROM pg_class
                 WHERE relnamespace::regnamespace::text IN ('hoa', 'hoa_ops')
            ),
            functions AS (
                SELECT oid, oid::regprocedure::text AS name, prokind
                  FROM pg_proc
                 WHERE pronamespace::regnamespace::text IN ('hoa', 'hoa_ops')
            )
            SELECT 'relation' AS kind, concat_ws(' ', name, relkind) AS definition FROM relations
             UNION ALL
            SELECT 'column', concat_ws(' ', name, attname, format_type(atttypid, atttypmod), attnotnull)
              FROM relations
              JOIN pg_attribute ON attrelid = oid
             WHERE relkind IN ('r', 'v') AND attnum > 0 AND NOT attisdropped
             UNION ALL
            SELECT 'default', concat_ws(' ', name, attname, pg_get_expr(adbin, adrelid))
              FROM relations
              JOIN pg_attrdef ON adrelid = relations.oid
              JOIN pg_attribute ON attrelid = adrelid AND attnum = adnum
             UNION ALL
            SELECT 'index', pg_get_indexdef(indexrelid) FROM relations JOIN pg_index ON indrelid = oid
             UNION ALL
            SELECT 'constraint', concat_ws(' ', name, conname, pg_get_constraintdef(pg_constraint.oid))
              FROM relations
              JOIN pg_constraint ON conrelid = relations.oid
             UNION ALL
            SELECT 'trigger', concat_ws(' ', pg_get_triggerdef(pg_trigger.oid), tgenabled)
              FROM relations
              JOIN pg_trigger ON tgrelid = relations.oid
             WHERE NOT tgisinternal
             UNION ALL
            SELECT 'function', pg_get_functiondef(oid) FROM functions WHERE prokind = 'f'
             UNION ALL
            SELECT 'aggregate', concat_ws(' ', name, aggtransfn, aggtranstype::regtype, agginitval)
              FROM functions
              JOIN pg_aggregate ON aggfnoid = oid
             UNION ALL
            SELECT 'view', name || pg_get_viewdef(oid) FROM relations WHERE relkind = 'v'
             UNION ALL
            SELECT 'comment', concat_ws(' ', name, objsubid, description)
              FROM (SELECT oid, name FROM relations UNION ALL SELECT oid, name FROM functions) AS objects
              JOIN pg_description ON objoid = oid AND classoid IN ('pg_class'::regclass, 'pg_proc'::regclass)
             ORDER BY kind, definition
            """
        ).fetchall()
