-- What of a payment and of an invoice is applied is stored on their rows, kept by triggers and bounded by CHECKs: a sum
-- of rows that others insert at the same moment bounds nothing. And an entry is complete when it is posted. Views of an
-- application's are left alone.

DO $open_amounts$
DECLARE
    without_applied text;
    faults text[];
BEGIN
    SELECT string_agg(views.oid::regclass::text, ', ') INTO without_applied
      FROM pg_class AS views
     WHERE views.oid IN (to_regclass('invoices'), to_regclass('payments'))
       AND views.relkind = 'v'
       AND NOT EXISTS (SELECT FROM pg_attribute
                        WHERE pg_attribute.attrelid = views.oid AND pg_attribute.attname = 'applied');
    IF without_applied IS NOT NULL THEN
        RAISE EXCEPTION 'the column applied is missing in the view(s) %: add it at the end, with CREATE OR REPLACE VIEW '
                        'and as docs/adopting/views.sql does, then migrate again', without_applied;
    END IF;
    IF EXISTS (SELECT FROM pg_class WHERE oid = to_regclass('payment_applications') AND relkind NOT IN ('r', 'p')) THEN
        RETURN;
    END IF;

    LOCK TABLE payments, invoices, payment_applications IN SHARE ROW EXCLUSIVE MODE;
    SELECT array_agg(fault ORDER BY fault) INTO faults
      FROM (SELECT tenants.code || ': payment ' || payments.id || ' of ' || payments.amount || ' has '
                       || sum(applications.amount) || ' applied' AS fault
              FROM payment_applications AS applications
              JOIN payments ON payments.tenant_id = applications.tenant_id AND payments.id = applications.payment_id
              JOIN tenants ON tenants.id = payments.tenant_id
             WHERE applications.reversal_entry_id IS NULL
             GROUP BY tenants.code, payments.id, payments.amount
            HAVING sum(applications.amount) > payments.amount
             UNION ALL
            SELECT tenants.code || ': ' || CASE invoices.status WHEN 'void' THEN 'void ' ELSE '' END || 'invoice '
                       || invoices.number || ' of ' || invoices.amount || ' has ' || sum(applications.amount)
                       || ' applied to it'
              FROM payment_applications AS applications
              JOIN invoices ON invoices.tenant_id = applications.tenant_id AND invoices.id = applications.invoice_id
              JOIN tenants ON tenants.id = invoices.tenant_id
             WHERE applications.reversal_entry_id IS NULL
             GROUP BY tenants.code, invoices.number, invoices.amount, invoices.status
            HAVING sum(applications.amount) > invoices.amount OR invoices.status = 'void') AS found;
    IF faults IS NOT NULL THEN
        RAISE EXCEPTION 'more is applied than there is; take applications back (post an entry that reverses the '
                        'application''s, and set its reversal_entry_id to that), then migrate again: %',
            array_to_string(faults[1:20], '; ')
            || CASE WHEN cardinality(faults) > 20 THEN '; and ' || cardinality(faults) - 20 || ' more' ELSE '' END;
    END IF;

    DROP TRIGGER IF EXISTS fit ON payment_applications;
    ALTER TABLE payments ADD COLUMN applied numeric(15,2) NOT NULL DEFAULT 0;
    UPDATE payments
       SET applied = standing.amount
      FROM (SELECT tenant_id, payment_id, sum(amount) AS amount
              FROM payment_applications
             WHERE reversal_entry_id IS NULL
             GROUP BY tenant_id, payment_id) AS standing
     WHERE standing.tenant_id = payments.tenant_id
       AND standing.payment_id = payments.id;
    ALTER TABLE payments ADD CONSTRAINT payments_applied_check CHECK (applied >= 0 AND applied <= amount);
    CREATE INDEX payments_unapplied ON payments (tenant_id, owner_id) WHERE status = 'posted' AND amount - applied > 0;
    CREATE INDEX ON payments (tenant_id, received_on);
    COMMENT ON COLUMN payments.applied IS 'What of it is applied to invoices. Kept by the trigger of the applications.';

    ALTER TABLE invoices ADD COLUMN applied numeric(15,2) NOT NULL DEFAULT 0;
    UPDATE invoices
       SET applied = standing.amount
      FROM (SELECT tenant_id, invoice_id, sum(amount) AS amount
              FROM payment_applications
             WHERE reversal_entry_id IS NULL
             GROUP BY tenant_id, invoice_id) AS standing
     WHERE standing.tenant_id = invoices.tenant_id
       AND standing.invoice_id = invoices.id;
    ALTER TABLE invoices
        ADD CONSTRAINT invoices_applied_check CHECK (applied >= 0 AND applied <= amount),
        ADD CONSTRAINT invoices_void_check CHECK (status <> 'void' OR applied = 0);
    CREATE INDEX invoices_open ON invoices (tenant_id, owner_id) WHERE status <> 'void' AND amount - applied > 0;
    COMMENT ON COLUMN invoices.applied IS 'What payments have settled of it. Kept by the trigger of the applications.';
END
$open_amounts$;

DROP FUNCTION IF EXISTS payment_applications_fit();

DO $posted_in$
BEGIN
    IF EXISTS (SELECT FROM pg_class WHERE oid = to_regclass('journal_entries') AND relkind IN ('r', 'p')) THEN
        ALTER TABLE journal_entries ADD COLUMN posted_in xid8 NOT NULL DEFAULT pg_current_xact_id();
        COMMENT ON COLUMN journal_entries.posted_in IS
            'The transaction that posted it. Its lines, and those of its invoice, come in the same one or never.';
    END IF;
    IF EXISTS (SELECT FROM pg_class WHERE oid = to_regclass('journal_entry_lines') AND relkind IN ('r', 'p')) THEN
        ALTER TABLE journal_entry_lines ADD COLUMN posted_in xid8 NOT NULL DEFAULT pg_current_xact_id();
    END IF;
END
$posted_in$;
