-- schema/expected/row_checks: the rules of the expected tables that a view, or another table, does not itself enforce:
-- for each, the query that counts the rows that break it. Relations that lack a column are left out.
WITH {% include 'schema/expected/relations.sql' %},
complete AS (
    SELECT *
      FROM relations
     WHERE actual_oid IS NOT NULL
       AND expected_kind = 'r'
       AND NOT EXISTS (
           SELECT FROM columns
            WHERE columns.actual_oid = relations.actual_oid
              AND (columns.actual_number IS NULL OR columns.actual_type IS NULL))
),
key_columns AS (
    SELECT keys.oid AS key_oid,
           string_agg(format('child.%%I = parent.%%I', child.attname, parent.attname), ' AND ' ORDER BY pair.position)
               AS match,
           string_agg(format('child.%%I IS NOT NULL', child.attname), ' AND ' ORDER BY pair.position) AS is_set,
           string_agg(child.attname, ', ' ORDER BY pair.position) AS names
      FROM pg_constraint AS keys
     CROSS JOIN LATERAL unnest(keys.conkey, keys.confkey) WITH ORDINALITY
               AS pair (child_number, parent_number, position)
      JOIN pg_attribute AS child ON child.attrelid = keys.conrelid AND child.attnum = pair.child_number
      JOIN pg_attribute AS parent ON parent.attrelid = keys.confrelid AND parent.attnum = pair.parent_number
     WHERE keys.contype = 'f'
     GROUP BY keys.oid
),
unique_columns AS (
    SELECT indexes.indexrelid, indexes.indrelid, indexes.indnullsnotdistinct,
           pg_get_expr(indexes.indpred, indexes.indrelid) AS only_where,
           string_agg(attribute.attname, ', ' ORDER BY part.position) AS names,
           string_agg(attribute.attname || ' IS NOT NULL', ' AND ' ORDER BY part.position) AS is_set
      FROM pg_index AS indexes
     CROSS JOIN LATERAL unnest(indexes.indkey) WITH ORDINALITY AS part (number, position)
      JOIN pg_attribute AS attribute ON attribute.attrelid = indexes.indrelid AND attribute.attnum = part.number
     WHERE indexes.indisunique
     GROUP BY indexes.indexrelid, indexes.indrelid, indexes.indnullsnotdistinct, indexes.indpred
)
SELECT full_name, 'have no ' || column_name AS fault,
       format('SELECT count(*) AS found FROM %%s WHERE %%I IS NULL', full_name, column_name) AS count_query
  FROM columns
  JOIN complete USING (full_name)
 WHERE columns.is_required
   AND NOT columns.is_filled
 UNION ALL
SELECT full_name, 'have more than ' || ((expected_modifier - 4) & 2047) || ' decimals in ' || column_name,
       format('SELECT count(*) AS found FROM %%s WHERE %%I <> round(%%I, %%s)',
              full_name, column_name, column_name, (expected_modifier - 4) & 2047)
  FROM columns
  JOIN complete USING (full_name)
 WHERE columns.expected_type = 'numeric'::regtype
   AND columns.expected_modifier >= 4
   AND columns.actual_type = 'numeric'::regtype
   AND (columns.actual_modifier < 4
        OR (columns.actual_modifier - 4) & 2047 > (columns.expected_modifier - 4) & 2047)
 UNION ALL
SELECT full_name, 'violate the rule ' || rule.text,
       format('SELECT count(*) AS found FROM %%s WHERE NOT (%%s)', full_name, rule.text)
  FROM complete
  JOIN pg_constraint AS checks ON checks.conrelid = expected_oid AND checks.contype = 'c'
 CROSS JOIN LATERAL (SELECT pg_get_expr(checks.conbin, checks.conrelid) AS text) AS rule
 WHERE NOT EXISTS (
       SELECT FROM pg_constraint AS kept
        WHERE kept.conrelid = actual_oid
          AND kept.contype = 'c'
          AND kept.convalidated
          AND pg_get_expr(kept.conbin, kept.conrelid) = rule.text)
 UNION ALL
SELECT full_name, 'have the same ' || names || ' as another row',
       format('SELECT coalesce(sum(rows), 0) AS found FROM (SELECT count(*) AS rows FROM %%s WHERE %%s%%s GROUP BY %%s '
              'HAVING count(*) > 1) AS repeated',
              full_name, coalesce(only_where, 'true'),
              CASE WHEN indnullsnotdistinct THEN '' ELSE ' AND ' || is_set END, names)
  FROM complete
  JOIN unique_columns ON unique_columns.indrelid = expected_oid
 WHERE NOT EXISTS (
       SELECT FROM pg_index AS kept
        WHERE kept.indrelid = actual_oid
          AND kept.indisunique
          AND kept.indisvalid
          AND regexp_replace(pg_get_indexdef(kept.indexrelid), '^.* USING ', '')
            = regexp_replace(pg_get_indexdef(unique_columns.indexrelid), '^.* USING ', ''))
 UNION ALL
SELECT child.full_name, 'refer by ' || key_columns.names || ' to rows that do not exist in ' || parent.full_name,
       format('SELECT count(*) AS found FROM %%s AS child WHERE %%s '
              'AND NOT EXISTS (SELECT FROM %%s AS parent WHERE %%s)',
              child.full_name, key_columns.is_set, parent.full_name, key_columns.match)
  FROM complete AS child
  JOIN pg_constraint AS keys ON keys.conrelid = child.expected_oid AND keys.contype = 'f'
  JOIN complete AS parent ON parent.expected_oid = keys.confrelid
  JOIN key_columns ON key_columns.key_oid = keys.oid
 WHERE NOT EXISTS (
       SELECT FROM pg_constraint AS kept
        WHERE kept.conrelid = child.actual_oid
          AND kept.contype = 'f'
          AND kept.convalidated
          AND replace(pg_get_constraintdef(kept.oid), child.schema_name || '.', '')
            = replace(pg_get_constraintdef(keys.oid), child.expected_schema || '.', ''))
 ORDER BY full_name, fault
