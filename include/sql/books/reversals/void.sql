-- books/reversals/void: voids the invoices whose reversal is recorded. After it, for what is applied to an invoice must
-- be taken back before it is void.
UPDATE invoices
   SET status = 'void'
 WHERE invoices.tenant_id = %(tenant_id)s
   AND invoices.status <> 'void'
   AND invoices.id IN (SELECT reversals.invoice_id FROM reversals WHERE reversals.tenant_id = %(tenant_id)s)
