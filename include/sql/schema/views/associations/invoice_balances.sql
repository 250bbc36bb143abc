-- schema/views/associations/invoice_balances: what is still open on every invoice.
CREATE OR REPLACE VIEW invoice_balances AS
    SELECT invoices.tenant_id, invoices.id AS invoice_id, invoices.number, invoices.kind, invoices.unit_id,
           invoices.owner_id, invoices.invoice_date, invoices.due_date, invoices.amount,
           invoices.amount - coalesce(applied.amount, 0) AS balance
      FROM invoices
      LEFT JOIN LATERAL (
           SELECT sum(payment_applications.amount) AS amount
             FROM payment_applications
            WHERE payment_applications.tenant_id = invoices.tenant_id
              AND payment_applications.invoice_id = invoices.id
              AND payment_applications.reversal_entry_id IS NULL) AS applied ON true
     WHERE invoices.status <> 'void';
COMMENT ON VIEW invoice_balances IS 'What is still open on every invoice that is not void.';
