-- books/control_accounts: what the general ledger says at the end of a day about receivables (1200) and owner
-- prepayments (2200), and what the payments themselves say about the latter.
SELECT ledger.receivables, ledger.prepayments, received.amount - applied.amount AS unapplied_payments
  FROM (SELECT coalesce(sum(lines.debit - lines.credit) FILTER (WHERE accounts.number = '1200'), 0.00) AS receivables,
               coalesce(sum(lines.credit - lines.debit) FILTER (WHERE accounts.number = '2200'), 0.00) AS prepayments
          FROM accounts
          JOIN journal_entry_lines AS lines
            ON lines.tenant_id = accounts.tenant_id AND lines.account_id = accounts.id
          JOIN journal_entries AS entries ON entries.tenant_id = lines.tenant_id AND entries.id = lines.entry_id
         WHERE accounts.tenant_id = %(tenant_id)s
           AND accounts.number IN ('1200', '2200')
           AND entries.entry_date <= %(as_of)s) AS ledger,
       (SELECT coalesce(sum(payments.amount), 0.00) AS amount
          FROM payments
          LEFT JOIN journal_entries AS reversals
            ON reversals.tenant_id = payments.tenant_id AND reversals.reverses_entry_id = payments.journal_entry_id
         WHERE payments.tenant_id = %(tenant_id)s
           AND payments.received_on <= %(as_of)s
           AND (payments.status <> 'returned' OR reversals.entry_date > %(as_of)s)) AS received,
       (SELECT coalesce(sum(applications.amount), 0.00) AS amount
          FROM payment_applications AS applications
          LEFT JOIN journal_entries AS taken_back
            ON taken_back.tenant_id = applications.tenant_id AND taken_back.id = applications.reversal_entry_id
         WHERE applications.tenant_id = %(tenant_id)s
           AND applications.applied_on <= %(as_of)s
           AND (taken_back.entry_date IS NULL OR taken_back.entry_date > %(as_of)s)) AS applied
