-- schema/views/associations/owner_credits: what owners have paid ahead.
CREATE OR REPLACE VIEW owner_credits AS
    SELECT payments.tenant_id, payments.owner_id, payments.id AS payment_id, payments.received_on,
           payments.amount - payments.applied AS unapplied
      FROM payments
     WHERE payments.status = 'posted'
       AND payments.amount - payments.applied > 0;
COMMENT ON VIEW owner_credits IS 'Payments that are not yet wholly applied to invoices.';
