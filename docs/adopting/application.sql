-- What the application sees instead of its own tables from the switch-over on: views with their names and columns, in a
-- schema that comes first in its search path. Its own tables stay as they are. Run it as the schema
-- owner, then as the application's role:
-- ALTER ROLE application IN DATABASE DATABASE SET search_path = hoa_app, public;
CREATE SCHEMA hoa_app;

CREATE VIEW hoa_app.accounting_invoice AS
SELECT invoices.id, invoices.tenant_id, invoices.number AS invoice_number, upper(invoices.kind) AS invoice_type,
       invoices.unit_id, invoices.owner_id, invoices.invoice_date, invoices.due_date, invoices.amount AS total_amount,
       coalesce(invoices.amount - balances.balance, 0) AS amount_paid,
       CASE WHEN invoices.status = 'void' THEN 'CANCELLED'
            WHEN balances.balance = 0 THEN 'PAID'
            ELSE 'SENT' END AS status,
       invoices.late_fee_of_invoice_id AS late_fee_for_id, invoices.violation_escalation_id AS violation_step_id
  FROM hoa.invoices
  LEFT JOIN hoa.invoice_balances AS balances
    ON balances.tenant_id = invoices.tenant_id AND balances.invoice_id = invoices.id;

CREATE VIEW hoa_app.accounting_payment AS
SELECT id, tenant_id, owner_id, received_on AS payment_date, amount, upper(method) AS payment_method,
       reference AS reference_number
  FROM hoa.payments;

CREATE VIEW hoa_app.accounting_paymentapplication AS
SELECT id, tenant_id, payment_id, invoice_id, amount AS amount_applied, applied_on AS applied_date
  FROM hoa.payment_applications
 WHERE reversal_entry_id IS NULL;

CREATE VIEW hoa_app.accounting_violationescalation AS
SELECT id, tenant_id, violation_id, step AS step_number, step_name, escalated_on::timestamptz AS escalated_at,
       fine AS fine_amount
  FROM hoa.violation_escalations;

-- Without the entries of the import, which stand for what the application's own entries say already.
CREATE VIEW hoa_app.accounting_journalentry AS
SELECT id, tenant_id, entry_number, entry_date, description, entry_date::timestamptz AS created_at
  FROM hoa.journal_entries
 WHERE entry_number !~ '^(OPEN|VOID|PAID|APPLIED)-';

CREATE VIEW hoa_app.accounting_journalentryline AS
SELECT md5(lines.entry_id::text || lines.line_number)::uuid AS id, lines.tenant_id, lines.entry_id AS journal_entry_id,
       lines.line_number, lines.account_id, lines.debit AS debit_amount, lines.credit AS credit_amount
  FROM hoa.journal_entry_lines AS lines
  JOIN hoa_app.accounting_journalentry AS entries ON entries.id = lines.entry_id;

-- How people's entries get into the ledger: numbered without gaps, all lines at once.
CREATE FUNCTION hoa_app.post_entry(for_tenant uuid, on_day date, description text, source text, lines jsonb)
RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = hoa_ops, hoa, pg_temp AS $$
DECLARE
    posted uuid;
BEGIN
    INSERT INTO journal_entries (tenant_id, entry_number, entry_date, description, source)
    VALUES (for_tenant, next_document_number(for_tenant, 'journal_entry'), on_day, post_entry.description,
            post_entry.source)
    RETURNING id INTO posted;
    INSERT INTO journal_entry_lines (tenant_id, entry_id, line_number, account_id, debit, credit)
    SELECT for_tenant, posted, row_number() OVER (),
           posting_account(for_tenant, line.account, 'named by the application'),
           coalesce(line.debit, 0), coalesce(line.credit, 0)
      FROM jsonb_to_recordset(lines) AS line (account text, debit numeric, credit numeric);
    RETURN posted;
END
$$;

-- A payment is the owner's credit; the next billing run applies it, and no fee or reminder overlooks it until then.
CREATE FUNCTION hoa_app.record_payment() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = hoa_ops, hoa, pg_temp AS $$
BEGIN
    INSERT INTO payments (tenant_id, id, owner_id, received_on, amount, method, reference, journal_entry_id)
    VALUES (NEW.tenant_id, NEW.id, NEW.owner_id, NEW.payment_date, NEW.amount, lower(NEW.payment_method),
            NEW.reference_number,
            hoa_app.post_entry(NEW.tenant_id, NEW.payment_date, 'Payment received', 'payment', jsonb_build_array(
                jsonb_build_object('account', '1000', 'debit', NEW.amount),
                jsonb_build_object('account', '2200', 'credit', NEW.amount))));
    RETURN NEW;
END
$$;
CREATE TRIGGER record_payment INSTEAD OF INSERT ON hoa_app.accounting_payment
    FOR EACH ROW EXECUTE FUNCTION hoa_app.record_payment();

REVOKE EXECUTE ON FUNCTION hoa_app.post_entry, hoa_app.record_payment FROM PUBLIC;
GRANT USAGE ON SCHEMA hoa_app TO application;
GRANT SELECT ON ALL TABLES IN SCHEMA hoa_app TO application;
GRANT INSERT ON hoa_app.accounting_payment TO application;
GRANT EXECUTE ON FUNCTION hoa_app.post_entry TO application;
