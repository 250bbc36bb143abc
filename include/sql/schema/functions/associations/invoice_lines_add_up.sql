-- schema/functions/associations/invoice_lines_add_up: the lines of an invoice add up to its amount.
CREATE OR REPLACE FUNCTION invoice_lines_add_up() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    wrong record;
BEGIN
    SELECT invoices.number, invoices.amount, lines.total INTO wrong
      FROM (SELECT tenant_id, invoice_id, sum(amount) AS total
              FROM inserted_lines
             GROUP BY tenant_id, invoice_id) AS lines
      JOIN invoices ON invoices.tenant_id = lines.tenant_id AND invoices.id = lines.invoice_id
     WHERE invoices.amount <> lines.total
     LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'invoice % is for % but its lines add up to % '
                        '(insert all lines of an invoice in one statement)',
            wrong.number, wrong.amount, wrong.total USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END
$$;
