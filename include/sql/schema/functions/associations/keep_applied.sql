-- schema/functions/associations/keep_applied: writes what applications come to on the rows of their payments and
-- invoices. Two people, or a person and a run, may apply one payment at the same moment. Both must write its row:
-- whoever comes second waits, and then sees what is left, or is told that the row has changed. Payments are locked
-- before invoices, each by id, by everybody. Runs as the schema owner, who alone may write `applied`.
CREATE OR REPLACE FUNCTION keep_applied() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    wrong record;
BEGIN
    PERFORM FROM payments
      WHERE (tenant_id, id) IN (SELECT tenant_id, payment_id FROM touched_applications)
      ORDER BY tenant_id, id FOR NO KEY UPDATE;
    PERFORM FROM invoices
      WHERE (tenant_id, id) IN (SELECT tenant_id, invoice_id FROM touched_applications)
      ORDER BY tenant_id, id FOR NO KEY UPDATE;

    SELECT invoices.number, invoices.status AS invoice_status, payments.status AS payment_status INTO wrong
      FROM touched_applications AS applications
      JOIN payments ON payments.tenant_id = applications.tenant_id AND payments.id = applications.payment_id
      JOIN invoices ON invoices.tenant_id = applications.tenant_id AND invoices.id = applications.invoice_id
     WHERE TG_OP = 'INSERT'
       AND applications.reversal_entry_id IS NULL
       AND (invoices.status = 'void' OR payments.status = 'returned' OR invoices.owner_id <> payments.owner_id)
     LIMIT 1;
    IF wrong.invoice_status = 'void' THEN
        RAISE EXCEPTION 'invoice % is void: nothing can be applied to it', wrong.number
            USING ERRCODE = 'check_violation';
    ELSIF wrong.payment_status = 'returned' THEN
        RAISE EXCEPTION 'the payment was returned: it cannot be applied to invoice %', wrong.number
            USING ERRCODE = 'check_violation';
    ELSIF FOUND THEN
        RAISE EXCEPTION 'invoice % is not of the owner who made the payment: record what was paid on it as a payment '
                        'of the owner who owes it', wrong.number USING ERRCODE = 'check_violation';
    END IF;

    UPDATE payments
       SET applied = (SELECT coalesce(sum(amount), 0) FROM payment_applications AS applications
                       WHERE applications.tenant_id = payments.tenant_id AND applications.payment_id = payments.id
                         AND applications.reversal_entry_id IS NULL)
     WHERE (tenant_id, id) IN (SELECT tenant_id, payment_id FROM touched_applications);
    UPDATE invoices
       SET applied = (SELECT coalesce(sum(amount), 0) FROM payment_applications AS applications
                       WHERE applications.tenant_id = invoices.tenant_id AND applications.invoice_id = invoices.id
                         AND applications.reversal_entry_id IS NULL)
     WHERE (tenant_id, id) IN (SELECT tenant_id, invoice_id FROM touched_applications);
    RETURN NULL;
EXCEPTION WHEN check_violation THEN
    -- What the CHECKs refuse is said in words.
    SELECT payments.id, payments.amount, sum(applications.amount) AS applied INTO wrong
      FROM payments
      JOIN payment_applications AS applications
        ON applications.tenant_id = payments.tenant_id AND applications.payment_id = payments.id
     WHERE (payments.tenant_id, payments.id) IN (SELECT tenant_id, payment_id FROM touched_applications)
       AND applications.reversal_entry_id IS NULL
     GROUP BY payments.tenant_id, payments.id
    HAVING sum(applications.amount) > payments.amount
     LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'payment % of % cannot cover the % applied from it', wrong.id, wrong.amount, wrong.applied
            USING ERRCODE = 'check_violation';
    END IF;
    SELECT invoices.number, invoices.amount, sum(applications.amount) AS applied INTO wrong
      FROM invoices
      JOIN payment_applications AS applications
        ON applications.tenant_id = invoices.tenant_id AND applications.invoice_id = invoices.id
     WHERE (invoices.tenant_id, invoices.id) IN (SELECT tenant_id, invoice_id FROM touched_applications)
       AND applications.reversal_entry_id IS NULL
     GROUP BY invoices.tenant_id, invoices.id
    HAVING sum(applications.amount) > invoices.amount
     LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'invoice % of % cannot take the % applied to it', wrong.number, wrong.amount, wrong.applied
            USING ERRCODE = 'check_violation';
    END IF;
    RAISE;
END
$$;
