-- books/journal: an association's journal up to the end of a day, one row a line, in the order of posting.
SELECT entries.id AS entry_id, entries.entry_number, entries.entry_date, entries.description, entries.source,
       accounts.id AS account_id, lines.debit - lines.credit AS amount, lines.memo
  FROM journal_entries AS entries
  JOIN journal_entry_lines AS lines ON lines.tenant_id = entries.tenant_id AND lines.entry_id = entries.id
  JOIN accounts ON accounts.tenant_id = lines.tenant_id AND accounts.id = lines.account_id
 WHERE entries.tenant_id = %(tenant_id)s
   AND entries.entry_date <= %(as_of)s
 ORDER BY entries.entry_date, natural_order(entries.entry_number), lines.line_number
