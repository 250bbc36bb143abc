-- books/integrity: whatever must never be in an association's books, one sentence a row; none when all is well.
WITH numbered AS (
    -- Documents with numbers of our form; people may give theirs any other.
    SELECT 'invoice' AS kind, substring(number FROM 5)::bigint AS number
      FROM invoices
     WHERE tenant_id = %(tenant_id)s
       AND number ~ '^INV-(\d{5}|[1-9]\d{5,17})$'
     UNION ALL
    SELECT 'journal_entry', substring(entry_number FROM 4)::bigint
      FROM journal_entries
     WHERE tenant_id = %(tenant_id)s
       AND entry_number ~ '^JE-(\d{5}|[1-9]\d{5,17})$'
),
next_numbers AS (
    SELECT kind, number, lead(number) OVER (PARTITION BY kind ORDER BY number) AS next_number FROM numbered
),
standing AS (
    SELECT applications.payment_id, applications.invoice_id, applications.amount, applications.applied_on
      FROM payment_applications AS applications
     WHERE applications.tenant_id = %(tenant_id)s
       AND applications.reversal_entry_id IS NULL
),
documents_applied AS (
    SELECT 'payment ' || entries.entry_number AS document, payments.amount, payments.status, payments.applied,
           coalesce(applications.amount, 0.00) AS standing, 'of it is applied' AS said
      FROM payments
      JOIN journal_entries AS entries
        ON entries.tenant_id = payments.tenant_id AND entries.id = payments.journal_entry_id
      LEFT JOIN (SELECT payment_id, sum(amount) AS amount FROM standing GROUP BY payment_id) AS applications
        ON applications.payment_id = payments.id
     WHERE payments.tenant_id = %(tenant_id)s
     UNION ALL
    SELECT 'invoice ' || invoices.number, invoices.amount, invoices.status, invoices.applied,
           coalesce(applications.amount, 0.00), 'is applied to it'
      FROM invoices
      LEFT JOIN (SELECT invoice_id, sum(amount) AS amount FROM standing GROUP BY invoice_id) AS applications
        ON applications.invoice_id = invoices.id
     WHERE invoices.tenant_id = %(tenant_id)s
)
SELECT 'journal entry ' || entries.entry_number || ': debits of ' || coalesce(lines.debits, 0)
           || ', credits of ' || coalesce(lines.credits, 0) AS deviation
  FROM journal_entries AS entries
  LEFT JOIN (SELECT entry_id, sum(debit) AS debits, sum(credit) AS credits
               FROM journal_entry_lines
              WHERE tenant_id = %(tenant_id)s
              GROUP BY entry_id) AS lines ON lines.entry_id = entries.id
 WHERE entries.tenant_id = %(tenant_id)s
   AND (lines.debits IS NULL OR lines.debits <> lines.credits)
 UNION ALL
SELECT 'invoice ' || invoices.number || ': amount ' || invoices.amount || ', its lines add up to '
           || coalesce(lines.amount, 0)
  FROM invoices
  LEFT JOIN (SELECT invoice_id, sum(amount) AS amount
               FROM invoice_lines
              WHERE tenant_id = %(tenant_id)s
              GROUP BY invoice_id) AS lines ON lines.invoice_id = invoices.id
 WHERE invoices.tenant_id = %(tenant_id)s
   AND invoices.amount IS DISTINCT FROM lines.amount
 UNION ALL
SELECT 'invoice ' || invoices.number || ': ' || applications.amount || ' applied on ' || applications.applied_on
           || ', of a payment that was received on ' || payments.received_on
  FROM payment_applications AS applications
  JOIN payments ON payments.tenant_id = applications.tenant_id AND payments.id = applications.payment_id
  JOIN invoices ON invoices.tenant_id = applications.tenant_id AND invoices.id = applications.invoice_id
 WHERE applications.tenant_id = %(tenant_id)s
   AND applications.applied_on < payments.received_on
 UNION ALL
SELECT 'journal entry ' || entries.entry_number || ': lines were added after it was posted'
  FROM journal_entries AS entries
 WHERE entries.tenant_id = %(tenant_id)s
   AND EXISTS (SELECT FROM journal_entry_lines AS lines
                WHERE lines.tenant_id = entries.tenant_id
                  AND lines.entry_id = entries.id
                  AND lines.posted_in <> entries.posted_in)
 UNION ALL
SELECT document || ': amount ' || amount || ', but ' || standing || ' ' || said
  FROM documents_applied
 WHERE standing > amount
 UNION ALL
SELECT document || ': ' || status || ', but ' || standing || ' ' || said
  FROM documents_applied
 WHERE status IN ('returned', 'void')
   AND standing > 0
 UNION ALL
SELECT document || ': ' || applied || ' is recorded as applied, its applications come to ' || standing
  FROM documents_applied
 WHERE applied <> standing
 UNION ALL
SELECT 'invoice ' || invoices.number || ': ' || standing.amount || ' applied on ' || standing.applied_on
           || ', of a payment of another owner'
  FROM standing
  JOIN payments ON payments.tenant_id = %(tenant_id)s AND payments.id = standing.payment_id
  JOIN invoices ON invoices.tenant_id = %(tenant_id)s AND invoices.id = standing.invoice_id
 WHERE invoices.owner_id <> payments.owner_id
 UNION ALL
SELECT 'numbers missing after ' || document_number(kind, number) || ': ' || next_number - number - 1
  FROM next_numbers
 WHERE next_number > number + 1
 UNION ALL
SELECT 'the counter of ' || replace(latest.kind, '_', ' ') || ' numbers is at ' || coalesce(counters.last_number, 0)
           || ', the last document is ' || document_number(latest.kind, latest.number)
  FROM (SELECT kind, max(number) AS number FROM numbered GROUP BY kind) AS latest
  LEFT JOIN document_counters AS counters ON counters.tenant_id = %(tenant_id)s AND counters.kind = latest.kind
 WHERE counters.last_number IS DISTINCT FROM latest.number
 ORDER BY deviation
