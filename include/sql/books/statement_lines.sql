-- books/statement_lines: an owner's account up to a day, one row per event in date order, with the running balance:
-- open invoices less unapplied payments. A void invoice and a returned payment stay, and are taken back on the
-- day of their reversing entry. Applying a payment to one's own invoice, or taking that back, moves no balance.
WITH events (happened_on, sequence, document, description, owed, credit) AS (
    SELECT invoices.invoice_date, 1, invoices.number,
           'Unit ' || units.unit_number || ': ' || coalesce(lines.description, invoices.kind)
               || ', due ' || invoices.due_date,
           invoices.amount, 0
      FROM invoices
      JOIN units ON units.tenant_id = invoices.tenant_id AND units.id = invoices.unit_id
     CROSS JOIN LATERAL (
           SELECT string_agg(invoice_lines.description, '; ' ORDER BY invoice_lines.line_number) AS description
             FROM invoice_lines
            WHERE invoice_lines.tenant_id = invoices.tenant_id
              AND invoice_lines.invoice_id = invoices.id) AS lines
     WHERE invoices.tenant_id = %(tenant_id)s
       AND invoices.owner_id = %(owner_id)s
     UNION ALL
    SELECT coalesce(reversals.entry_date, invoices.invoice_date), 2, invoices.number, 'Void', -invoices.amount, 0
      FROM invoices
      LEFT JOIN journal_entries AS reversals
        ON reversals.tenant_id = invoices.tenant_id AND reversals.reverses_entry_id = invoices.journal_entry_id
     WHERE invoices.tenant_id = %(tenant_id)s
       AND invoices.owner_id = %(owner_id)s
       AND invoices.status = 'void'
     UNION ALL
    SELECT payments.received_on, 3, entries.entry_number,
           concat_ws(' ', 'Payment received,', payments.method, nullif(payments.reference, '')), 0, payments.amount
      FROM payments
      JOIN journal_entries AS entries
        ON entries.tenant_id = payments.tenant_id AND entries.id = payments.journal_entry_id
     WHERE payments.tenant_id = %(tenant_id)s
       AND payments.owner_id = %(owner_id)s
     UNION ALL
    SELECT coalesce(reversals.entry_date, payments.received_on), 4, coalesce(reversals.entry_number, ''),
           'Payment of ' || payments.received_on || ' returned', 0, -payments.amount
      FROM payments
      LEFT JOIN journal_entries AS reversals
        ON reversals.tenant_id = payments.tenant_id AND reversals.reverses_entry_id = payments.journal_entry_id
     WHERE payments.tenant_id = %(tenant_id)s
       AND payments.owner_id = %(owner_id)s
       AND payments.status = 'returned'
     UNION ALL
    SELECT moved.on_date, moved.sequence, invoices.number,
           applications.amount || ' of the payment of ' || payments.received_on || moved.words,
           CASE WHEN invoices.owner_id = %(owner_id)s THEN moved.sign * applications.amount ELSE 0 END,
           CASE WHEN payments.owner_id = %(owner_id)s THEN moved.sign * applications.amount ELSE 0 END
      FROM payment_applications AS applications
      LEFT JOIN journal_entries AS reversals
        ON reversals.tenant_id = applications.tenant_id AND reversals.id = applications.reversal_entry_id
     CROSS JOIN LATERAL (
           VALUES (applications.applied_on, 5, -1, ' applied'), (reversals.entry_date, 6, 1, ' returned to credit'))
        AS moved (on_date, sequence, sign, words)
      JOIN payments ON payments.tenant_id = applications.tenant_id AND payments.id = applications.payment_id
      JOIN invoices ON invoices.tenant_id = applications.tenant_id AND invoices.id = applications.invoice_id
     WHERE applications.tenant_id = %(tenant_id)s
       AND %(owner_id)s IN (invoices.owner_id, payments.owner_id)
       AND moved.on_date IS NOT NULL
)
SELECT happened_on, document, description, owed, credit,
       CASE WHEN sequence <= 2 THEN owed ELSE 0 END AS charged,
       CASE WHEN sequence <= 2 THEN 0 ELSE credit - owed END AS paid,
       sum(owed - credit) OVER (
           ORDER BY happened_on, sequence, natural_order(document) ROWS UNBOUNDED PRECEDING) AS balance
  FROM events
 WHERE happened_on <= %(as_of)s
 ORDER BY happened_on, sequence, natural_order(document)
