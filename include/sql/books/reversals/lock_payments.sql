-- books/reversals/lock_payments: nobody applies a payment of the invoices' owners until the transaction ends. Payments
-- are locked before invoices, by everybody.
WITH {% include 'books/reversals/selected.sql' %}
SELECT payments.id
  FROM payments
 WHERE payments.tenant_id = %(tenant_id)s
   AND (payments.owner_id IN (SELECT selected.owner_id FROM selected)
        OR payments.id IN (SELECT applications.payment_id
                             FROM payment_applications AS applications
                             JOIN selected ON selected.id = applications.invoice_id
                            WHERE applications.tenant_id = %(tenant_id)s))
 ORDER BY payments.id
   FOR NO KEY UPDATE
