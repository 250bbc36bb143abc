-- The switch-over, second half: brings ledger and receivables over, all or nothing. Run it as the schema owner,
-- while nobody posts in the application. A row that breaks a rule of the tables stops it and is named.
BEGIN;
INSERT INTO hoa.journal_entries (tenant_id, id, entry_number, entry_date, description, source, reverses_entry_id)
SELECT tenant_id, id, entry_number, entry_date, description, source, reverses_entry_id
  FROM hoa_import.journal_entries;
INSERT INTO hoa.journal_entry_lines (tenant_id, entry_id, line_number, account_id, debit, credit, memo)
SELECT tenant_id, entry_id, line_number, account_id, debit, credit, memo
  FROM hoa_import.journal_entry_lines;
INSERT INTO hoa.violation_escalations (tenant_id, id, violation_id, step, step_name, escalated_on, scheduled_fine, fine,
                                       status)
SELECT tenant_id, id, violation_id, step, step_name, escalated_on, scheduled_fine, fine, status
  FROM hoa_import.violation_escalations;
INSERT INTO hoa.invoices (tenant_id, id, number, kind, unit_id, owner_id, invoice_date, due_date, period, amount,
                          status, journal_entry_id, late_fee_of_invoice_id, violation_escalation_id)
SELECT tenant_id, id, number, kind, unit_id, owner_id, invoice_date, due_date, period, amount, status,
       journal_entry_id, late_fee_of_invoice_id, violation_escalation_id
  FROM hoa_import.invoices;
INSERT INTO hoa.invoice_lines (tenant_id, invoice_id, line_number, account_id, description, amount, charge_kind)
SELECT tenant_id, invoice_id, line_number, account_id, description, amount, charge_kind
  FROM hoa_import.invoice_lines;
INSERT INTO hoa.payments (tenant_id, id, owner_id, received_on, amount, method, reference, status, journal_entry_id)
SELECT tenant_id, id, owner_id, received_on, amount, method, reference, status, journal_entry_id
  FROM hoa_import.payments;
INSERT INTO hoa.payment_applications (tenant_id, id, payment_id, invoice_id, amount, applied_on, journal_entry_id)
SELECT tenant_id, id, payment_id, invoice_id, amount, applied_on, journal_entry_id
  FROM hoa_import.payment_applications;
-- Document numbers go on after the application's last.
INSERT INTO hoa_ops.document_counters (tenant_id, kind, last_number)
SELECT tenant_id, 'invoice', max(substring(number FROM 5)::bigint)
  FROM hoa.invoices
 WHERE number ~ '^INV-(\d{5}|[1-9]\d{5,17})$'
 GROUP BY tenant_id
 UNION ALL
SELECT tenant_id, 'journal_entry', max(substring(entry_number FROM 4)::bigint)
  FROM hoa.journal_entries
 WHERE entry_number ~ '^JE-(\d{5}|[1-9]\d{5,17})$'
 GROUP BY tenant_id
    ON CONFLICT (tenant_id, kind) DO UPDATE SET last_number = excluded.last_number;
COMMIT;
