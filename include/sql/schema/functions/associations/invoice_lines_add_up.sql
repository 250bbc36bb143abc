-- schema/functions/associations/invoice_lines_add_up: the lines of an invoice add up to its amount, and come with its
-- journal entry: nothing is added to it later.
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
    SELECT invoices.number INTO wrong
      FROM (SELECT DISTINCT tenant_id, invoice_id FROM inserted_lines) AS lines
      JOIN invoices ON invoices.tenant_id = lines.tenant_id AND invoices.id = lines.invoice_id
      JOIN journal_entries AS entries
        ON entries.tenant_id = invoices.tenant_id AND entries.id = invoices.journal_entry_id
     WHERE entries.posted_in <> pg_current_xact_id()
     LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'invoice % is posted, and nothing is added to it later: post another invoice, or insert the '
                        'journal entry, the invoice and its lines in one transaction', wrong.number
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END
$$;
