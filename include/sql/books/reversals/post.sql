-- books/reversals/post: carries out the plan: reverses what payments settled and then the invoices, each by an entry of
-- its own that has the lines of the reversed one with debit and credit exchanged. books/reversals/void.sql follows.
WITH planned AS MATERIALIZED (
{% include 'books/reversals/plan.sql' %}
),
to_reverse AS (
    SELECT planned.item_id AS invoice_id, planned.invoice_number, applications.id AS application_id,
           applications.journal_entry_id AS reversed_id,
           'Credit taken back from ' || planned.invoice_number AS description
      FROM planned
      JOIN payment_applications AS applications
        ON applications.tenant_id = %(tenant_id)s AND applications.invoice_id = planned.item_id
     WHERE planned.action = 'post'
       AND applications.reversal_entry_id IS NULL
     UNION ALL
    SELECT planned.item_id, planned.invoice_number, NULL, planned.journal_entry_id,
           planned.invoice_number || ' - Reversed'
      FROM planned
     WHERE planned.action = 'post'
),
counted AS (
    UPDATE document_counters
       SET last_number = last_number + (SELECT count(*) FROM to_reverse)
     WHERE tenant_id = %(tenant_id)s
       AND kind = 'journal_entry'
       AND EXISTS (SELECT FROM to_reverse)
    RETURNING last_number - (SELECT count(*) FROM to_reverse) AS base
),
entries AS (
    SELECT to_reverse.*, uuidv7() AS entry_id,
           document_number('journal_entry', counted.base + row_number() OVER (
               ORDER BY natural_order(invoice_number), application_id NULLS LAST)) AS entry_number
      FROM to_reverse
     CROSS JOIN counted
),
posted_entries AS (
    INSERT INTO journal_entries (tenant_id, id, entry_number, entry_date, description, source, reverses_entry_id)
    SELECT %(tenant_id)s, entry_id, entry_number, %(as_of)s, description, 'reversal', reversed_id
      FROM entries
),
posted_entry_lines AS (
    INSERT INTO journal_entry_lines (tenant_id, entry_id, line_number, account_id, debit, credit, memo)
    SELECT %(tenant_id)s, entries.entry_id, lines.line_number, lines.account_id, lines.credit, lines.debit, lines.memo
      FROM entries
      JOIN journal_entry_lines AS lines ON lines.tenant_id = %(tenant_id)s AND lines.entry_id = entries.reversed_id
),
taken_back AS (
    UPDATE payment_applications
       SET reversal_entry_id = entries.entry_id
      FROM entries
     WHERE payment_applications.tenant_id = %(tenant_id)s
       AND payment_applications.id = entries.application_id
),
recorded AS (
    INSERT INTO reversals (tenant_id, invoice_id, journal_entry_id, reversed_on, reversed_by, reason)
    SELECT %(tenant_id)s, invoice_id, entry_id, %(as_of)s, %(who)s, %(why)s
      FROM entries
     WHERE application_id IS NULL
)
SELECT planned.*
  FROM planned
 ORDER BY natural_order(planned.invoice_number)
