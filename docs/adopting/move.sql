-- The switch-over, first half: makes room for the tables. Run it as the schema owner, then
-- `python -m hoa_ops migrate --adopt`, then import.sql.
DROP VIEW hoa.invoice_balances, hoa.owner_credits,  -- read the views below; created again with the tables
          hoa.payment_applications, hoa.payments, hoa.invoice_lines, hoa.invoices, hoa.violation_escalations,
          hoa.journal_entry_lines, hoa.journal_entries;
