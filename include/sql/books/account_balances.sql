-- books/account_balances: every account of an association with its balance at the end of a day: debits less credits.
SELECT accounts.id AS account_id, accounts.number, accounts.name, accounts.type,
       min(entries.entry_date) AS first_entry_date,
       coalesce(sum(lines.debit - lines.credit) FILTER (WHERE entries.id IS NOT NULL), 0.00) AS balance
  FROM accounts
  LEFT JOIN journal_entry_lines AS lines ON lines.tenant_id = accounts.tenant_id AND lines.account_id = accounts.id
  LEFT JOIN journal_entries AS entries
    ON entries.tenant_id = lines.tenant_id
   AND entries.id = lines.entry_id
   AND entries.entry_date <= %(as_of)s
 WHERE accounts.tenant_id = %(tenant_id)s
 GROUP BY accounts.id, accounts.number, accounts.name, accounts.type
 ORDER BY natural_order(accounts.number)
