-- schema/views/associations/owner_credits: what owners have paid ahead.
CREATE OR REPLACE VIEW owner_credits AS
    SELECT payments.tenant_id, payments.owner_id, payments.id AS payment_id, payments.received_on,
           payments.amount - coalesce(applied.amount, 0) AS unapplied
      FROM payments
      LEFT JOIN LATERAL (
           SELECT sum(payment_applications.amount) AS amount
             FROM payment_applications
            WHERE payment_applications.tenant_id = payments.tenant_id
              AND payment_applications.payment_id = payments.id
              AND payment_applications.reversal_entry_id IS NULL) AS applied ON true
     WHERE payments.status = 'posted'
       AND payments.amount > coalesce(applied.amount, 0);
COMMENT ON VIEW owner_credits IS 'Payments that are not yet wholly applied to invoices.';
