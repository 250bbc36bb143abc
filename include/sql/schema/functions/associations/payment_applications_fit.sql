-- schema/functions/associations/payment_applications_fit: no payment is spent twice and no invoice paid twice. Two
-- people, or a person and a run, may apply the same payment at the same moment: whoever comes second waits for the
-- rows and then sees what is left. Runs as the schema owner: locking rows takes more rights than the jobs have.
CREATE OR REPLACE FUNCTION payment_applications_fit() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    too_much record;
BEGIN
    PERFORM FROM payments
      WHERE (tenant_id, id) IN (SELECT tenant_id, payment_id FROM inserted_applications)
      ORDER BY tenant_id, id FOR NO KEY UPDATE;
    PERFORM FROM invoices
      WHERE (tenant_id, id) IN (SELECT tenant_id, invoice_id FROM inserted_applications)
      ORDER BY tenant_id, id FOR NO KEY UPDATE;
    SELECT payments.id, payments.amount, applied.total INTO too_much
      FROM (SELECT DISTINCT tenant_id, payment_id FROM inserted_applications) AS touched
      JOIN payments ON payments.tenant_id = touched.tenant_id AND payments.id = touched.payment_id
     CROSS JOIN LATERAL (
           SELECT sum(amount) AS total FROM payment_applications
            WHERE tenant_id = touched.tenant_id AND payment_id = touched.payment_id
              AND reversal_entry_id IS NULL) AS applied
     WHERE applied.total > payments.amount
     LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'payment % of % cannot cover the % applied from it',
            too_much.id, too_much.amount, too_much.total USING ERRCODE = 'check_violation';
    END IF;
    SELECT invoices.number, invoices.amount, invoices.status, applied.total INTO too_much
      FROM (SELECT DISTINCT tenant_id, invoice_id FROM inserted_applications) AS touched
      JOIN invoices ON invoices.tenant_id = touched.tenant_id AND invoices.id = touched.invoice_id
     CROSS JOIN LATERAL (
           SELECT sum(amount) AS total FROM payment_applications
            WHERE tenant_id = touched.tenant_id AND invoice_id = touched.invoice_id
              AND reversal_entry_id IS NULL) AS applied
     WHERE applied.total > invoices.amount
        OR invoices.status = 'void'
     LIMIT 1;
    IF FOUND THEN
        IF too_much.status = 'void' THEN
            RAISE EXCEPTION 'invoice % is void: nothing can be applied to it', too_much.number
                USING ERRCODE = 'check_violation';
        END IF;
        RAISE EXCEPTION 'invoice % of % cannot take the % applied to it',
            too_much.number, too_much.amount, too_much.total USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END
$$;
