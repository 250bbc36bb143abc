-- schema/views/associations/invoice_balances: what is still open on every invoice.
CREATE OR REPLACE VIEW invoice_balances AS
    SELECT invoices.tenant_id, invoices.id AS invoice_id, invoices.number, invoices.kind, invoices.unit_id,
           invoices.owner_id, invoices.invoice_date, invoices.due_date, invoices.amount,
           invoices.amount - invoices.applied AS balance
      FROM invoices
     WHERE invoices.status <> 'void';
COMMENT ON VIEW invoice_balances IS 'What is still open on every invoice that is not void.';
