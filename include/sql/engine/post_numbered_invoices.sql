{#- Posts every row of the CTE `invoices_to_post` as an invoice, with its lines and its journal entry: debit
    receivables, credit the revenue account of each line. The rows must have:
      kind, unit_id, owner_id, invoice_date, due_date, period, amount, description, receivable_account_id,
      late_fee_of_invoice_id, violation_escalation_id, and position (1, 2, 3 … without gaps).
    Takes the lines from the CTE `lines_to_post` (position, line_number, charge_kind, account_id, description, amount),
    and the numbers from the CTE `numbers_taken` (kind, number_before: the last one that was given before).
    Gives the CTE `invoiced` (the columns of `invoices_to_post`, invoice_id, number). -#}
invoiced AS (
    SELECT invoices_to_post.*,
           uuidv7() AS invoice_id,
           uuidv7() AS entry_id,
           document_number('invoice', of_invoices.number_before + invoices_to_post.position) AS number,
           document_number('journal_entry', of_entries.number_before + invoices_to_post.position) AS entry_number
      FROM invoices_to_post
      JOIN numbers_taken AS of_invoices ON of_invoices.kind = 'invoice'
      JOIN numbers_taken AS of_entries ON of_entries.kind = 'journal_entry'
),
posted_entries AS (
    INSERT INTO journal_entries (tenant_id, id, entry_number, entry_date, description, source)
    SELECT %(tenant_id)s, entry_id, entry_number, invoice_date, number || ' - ' || description, 'invoice'
      FROM invoiced
),
revenues AS (
    SELECT position, account_id, sum(amount) AS amount,
           1 + row_number() OVER (PARTITION BY position ORDER BY min(line_number)) AS line_number
      FROM lines_to_post
     GROUP BY position, account_id
),
posted_entry_lines AS (
    INSERT INTO journal_entry_lines (tenant_id, entry_id, line_number, account_id, debit, credit)
    SELECT %(tenant_id)s, entry_id, 1, receivable_account_id, amount, 0
      FROM invoiced
     UNION ALL
    SELECT %(tenant_id)s, invoiced.entry_id, revenues.line_number, revenues.account_id, 0, revenues.amount
      FROM revenues
      JOIN invoiced ON invoiced.position = revenues.position
),
posted_invoices AS (
    INSERT INTO invoices (tenant_id, id, number, kind, unit_id, owner_id, invoice_date, due_date, period, amount,
                          journal_entry_id, late_fee_of_invoice_id, violation_escalation_id, run_id)
    SELECT %(tenant_id)s, invoice_id, number, kind, unit_id, owner_id, invoice_date, due_date, period, amount,
           entry_id, late_fee_of_invoice_id, violation_escalation_id, %(run_id)s
      FROM invoiced
),
posted_invoice_lines AS (
    INSERT INTO invoice_lines (tenant_id, invoice_id, line_number, account_id, description, amount, charge_kind)
    SELECT %(tenant_id)s, invoiced.invoice_id, lines_to_post.line_number, lines_to_post.account_id,
           lines_to_post.description, lines_to_post.amount, lines_to_post.charge_kind
      FROM lines_to_post
      JOIN invoiced ON invoiced.position = lines_to_post.position
)
