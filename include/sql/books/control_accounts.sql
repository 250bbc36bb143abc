-- books/control_accounts: what the general ledger says at the end of a day about receivables and owner prepayments, and
-- what the payments themselves say about the latter.
WITH {% include 'jobs/posting_accounts.sql' %},
control_accounts AS (
    -- Credits less debits.
    SELECT posting_accounts.purpose, posting_accounts.number,
           coalesce(sum(lines.credit - lines.debit) FILTER (WHERE entries.entry_date <= %(as_of)s), 0.00) AS balance
      FROM posting_accounts
      LEFT JOIN accounts ON accounts.tenant_id = %(tenant_id)s AND accounts.number = posting_accounts.number
      LEFT JOIN journal_entry_lines AS lines ON lines.tenant_id = accounts.tenant_id AND lines.account_id = accounts.id
      LEFT JOIN journal_entries AS entries ON entries.tenant_id = lines.tenant_id AND entries.id = lines.entry_id
     WHERE posting_accounts.purpose IN ('receivables', 'prepayments')
     GROUP BY posting_accounts.purpose, posting_accounts.number
)
SELECT receivables.number AS receivables_account, -receivables.balance AS receivables,
       prepayments.number AS prepayments_account, prepayments.balance AS prepayments,
       received.amount - applied.amount AS unapplied_payments
  FROM control_accounts AS receivables
  JOIN control_accounts AS prepayments ON prepayments.purpose = 'prepayments'
 CROSS JOIN (
       SELECT coalesce(sum(payments.amount), 0.00) AS amount
         FROM payments
         LEFT JOIN journal_entries AS reversals
           ON reversals.tenant_id = payments.tenant_id AND reversals.reverses_entry_id = payments.journal_entry_id
        WHERE payments.tenant_id = %(tenant_id)s
          AND payments.received_on <= %(as_of)s
          AND (payments.status <> 'returned' OR reversals.entry_date > %(as_of)s)) AS received
 CROSS JOIN (
       SELECT coalesce(sum(applications.amount), 0.00) AS amount
         FROM payment_applications AS applications
         LEFT JOIN journal_entries AS taken_back
           ON taken_back.tenant_id = applications.tenant_id AND taken_back.id = applications.reversal_entry_id
        WHERE applications.tenant_id = %(tenant_id)s
          AND applications.applied_on <= %(as_of)s
          AND (taken_back.entry_date IS NULL OR taken_back.entry_date > %(as_of)s)) AS applied
 WHERE receivables.purpose = 'receivables'
