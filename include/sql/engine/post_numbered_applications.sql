{#- Applies the payments of the CTE `applications_to_post`, each with its journal entry: debit owner prepayments, credit
    receivables, as of the run's day. The rows must have:
      payment_id, invoice_id, invoice_number, amount, receivable_account_id, prepayments_account_id, and position, which
      goes on counting after the invoices'.
    Takes the numbers from the CTE `numbers_taken` (kind, number_before). -#}
credit_entries AS (
    SELECT applications_to_post.*, uuidv7() AS entry_id,
           document_number('journal_entry', numbers_taken.number_before + applications_to_post.position) AS entry_number
      FROM applications_to_post
      JOIN numbers_taken ON numbers_taken.kind = 'journal_entry'
),
posted_credit_entries AS (
    INSERT INTO journal_entries (tenant_id, id, entry_number, entry_date, description, source)
    SELECT %(tenant_id)s, entry_id, entry_number, %(as_of)s, 'Credit applied to ' || invoice_number,
           'credit_application'
      FROM credit_entries
),
posted_credit_entry_lines AS (
    INSERT INTO journal_entry_lines (tenant_id, entry_id, line_number, account_id, debit, credit)
    SELECT %(tenant_id)s, entry_id, side.line_number, side.account_id, side.debit, side.credit
      FROM credit_entries
     CROSS JOIN LATERAL (VALUES (1, prepayments_account_id, amount, 0), (2, receivable_account_id, 0, amount))
        AS side (line_number, account_id, debit, credit)
),
posted_applications AS (
    INSERT INTO payment_applications (tenant_id, payment_id, invoice_id, amount, applied_on, journal_entry_id, run_id)
    SELECT %(tenant_id)s, payment_id, invoice_id, amount, %(as_of)s, entry_id, %(run_id)s
      FROM credit_entries
)
