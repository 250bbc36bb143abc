-- What the package is to read, as views on an example application (the tables of tests/integration/application.sql).
-- Run it as the role that will own them, with your own tables' names. A view runs with its owner's rights, so the role
-- of the jobs needs none on the application's tables. Views that you leave out become tables of the package.
CREATE SCHEMA hoa;
CREATE SCHEMA hoa_import;  -- what is moved on the day of the switch-over

-- Read only, for good. ------------------------------------------------------------------------------------

CREATE VIEW hoa.tenants AS
SELECT id, replace(schema_name, '_', '-') AS code, name,
       CASE WHEN is_active THEN 'active' ELSE 'inactive' END AS status,
       '2025-11-01'::date AS billing_starts_on,  -- the first month that the package is to bill
       0 AS payment_terms_days, false AS bills_vacant_units, true AS emails_invoices, '' AS payment_instructions,
       NULL::integer AS reminder_cooldown_days, NULL::numeric(15,2) AS fine_cap_per_violation,
       NULL::numeric(15,2) AS fine_cap_per_year
  FROM public.tenants_tenant;

CREATE VIEW hoa.contacts AS
SELECT tenant_id, id, CASE position WHEN 'TREASURER' THEN 'treasurer' ELSE 'board' END AS role,
       first_name || ' ' || last_name AS full_name, nullif(email, '') AS email, is_active AS active
  FROM public.accounting_boardmember;

CREATE VIEW hoa.owners AS
SELECT tenant_id, id, first_name || ' ' || last_name AS full_name, nullif(email, '') AS email,
       mailing_address AS postal_address
  FROM public.accounting_owner;

CREATE VIEW hoa.notification_preferences AS
SELECT tenant_id, id AS owner_id, CASE WHEN wants_paper THEN 'letter' ELSE 'email' END AS channel
  FROM public.accounting_owner;

CREATE VIEW hoa.holds AS
SELECT tenant_id, id, id AS owner_id, 'payment_plan' AS kind, 'payment plan' AS reason,
       payment_plan_since AS starts_on, payment_plan_until AS ends_on
  FROM public.accounting_owner
 WHERE payment_plan_until IS NOT NULL;

CREATE VIEW hoa.units AS
SELECT tenant_id, id, unit_number
  FROM public.accounting_unit;

-- The application keeps no history: the status and the assessment are as if they had always been so.
CREATE VIEW hoa.unit_statuses AS
SELECT tenant_id, id AS unit_id, lower(status) AS status, '1900-01-01'::date AS starts_on
  FROM public.accounting_unit;

CREATE VIEW hoa.recurring_charges AS
SELECT tenant_id, id, id AS unit_id, 'assessment' AS charge_kind, 'Assessment' AS description,
       monthly_assessment AS amount, 'monthly' AS frequency, '1900-01-01'::date AS starts_on, NULL::date AS ends_on,
       NULL::integer AS installments, NULL::uuid AS account_id
  FROM public.accounting_unit;

CREATE VIEW hoa.ownerships AS
SELECT tenant_id, id, unit_id, owner_id, ownership_percentage AS percentage,
       start_date AS starts_on, end_date AS ends_on
  FROM public.accounting_ownership;

CREATE VIEW hoa.accounts AS
SELECT tenant_id, id, NULL::uuid AS fund_id, account_number AS number, name, lower(account_type) AS type,
       is_active AS active
  FROM public.accounting_account;

CREATE VIEW hoa.violation_types AS
SELECT tenant_id, id, name
  FROM public.accounting_violationtype;

-- Your own fines: the application has its steps in its code. Days count from the step before, those of the first step
-- from the cure deadline. A type of violation may have a schedule of its own.
CREATE VIEW hoa.fine_schedules AS
SELECT id AS tenant_id, id, NULL::uuid AS violation_type_id
  FROM public.tenants_tenant;
CREATE VIEW hoa.fine_schedule_steps AS
SELECT tenants.id AS tenant_id, tenants.id AS schedule_id, step.number AS step, step.name, step.fine,
       step.days_after_previous, false AS requires_board_approval
  FROM public.tenants_tenant AS tenants
 CROSS JOIN (
       VALUES
       (1, 'First notice', 50.00::numeric(15,2), 0), (2, 'Second notice', 100.00, 6), (3, 'Final notice', 150.00, 7))
    AS step (number, name, fine, days_after_previous);

-- One table and no join: the jobs lock rows of this view and set their status. Where the status is read as it is,
-- PostgreSQL needs no trigger for that.
CREATE VIEW hoa.violations AS
SELECT tenant_id, id, violation_number, unit_id, violation_type_id, description,
       CASE status WHEN 'resolved' THEN 'closed' ELSE status END AS status, reported_date AS reported_on, cure_deadline
  FROM public.accounting_violation;
CREATE FUNCTION hoa.set_violation_status() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE public.accounting_violation SET status = NEW.status WHERE id = OLD.id;
    RETURN NEW;
END
$$;
CREATE TRIGGER set_status INSTEAD OF UPDATE ON hoa.violations
    FOR EACH ROW EXECUTE FUNCTION hoa.set_violation_status();
REVOKE EXECUTE ON FUNCTION hoa.set_violation_status FROM PUBLIC;

CREATE VIEW hoa.late_fee_rules AS
SELECT tenant_id, id,
       CASE WHEN percentage = 0 THEN 'flat'
            WHEN flat_amount = 0 THEN 'percentage'
            ELSE 'both' END AS fee_type,
       flat_amount, percentage, NULL::numeric(15,2) AS fee_cap, 0::numeric(15,2) AS minimum_balance,
       grace_period_days AS grace_days, 'once' AS frequency,
       effective_date AS effective_from, NULL::date AS effective_to  -- invoices due before that bear no fee
  FROM public.accounting_latefeerule;

CREATE VIEW hoa.budgets AS
SELECT tenant_id, id, NULL::uuid AS fund_id, name, fiscal_year::text AS period_label, start_date AS starts_on,
       end_date AS ends_on,
       CASE status WHEN 'APPROVED' THEN 'active' WHEN 'DRAFT' THEN 'draft' ELSE 'closed' END AS status,
       'annual' AS basis, NULL::numeric(7,2) AS warning_threshold, NULL::numeric(7,2) AS critical_threshold,
       0::numeric(15,2) AS alert_floor, 0 AS alert_cooldown_days
  FROM public.accounting_budget;

CREATE VIEW hoa.budget_lines AS
SELECT tenant_id, id, budget_id, account_id, budgeted_amount AS budgeted, NULL::numeric(7,2) AS warning_threshold,
       NULL::numeric(7,2) AS critical_threshold, NULL::numeric(7,4)[] AS monthly_distribution
  FROM public.accounting_budgetline;

-- Read now, moved later. ----------------------------------------------------------------------------------
-- Invoices and payments come with their whole history: what was charged before is what keeps it from being charged
-- again.

CREATE VIEW hoa_import.violation_escalations AS
SELECT tenant_id, id, violation_id, step_number AS step, step_name,
       (escalated_at AT TIME ZONE 'America/New_York')::date AS escalated_on, fine_amount AS scheduled_fine,
       fine_amount AS fine, 'applied' AS status, NULL::uuid AS run_id
  FROM public.accounting_violationescalation;

CREATE VIEW hoa_import.invoices AS
SELECT tenant_id, id, invoice_number AS number,
       CASE invoice_type WHEN 'ASSESSMENT' THEN 'assessment' WHEN 'LATE_FEE' THEN 'late_fee' WHEN 'FINE' THEN 'fine'
                         ELSE 'other' END AS kind,
       unit_id, owner_id, invoice_date, due_date,
       CASE invoice_type WHEN 'ASSESSMENT' THEN date_trunc('month', invoice_date)::date END AS period,
       total_amount AS amount, CASE status WHEN 'CANCELLED' THEN 'void' ELSE 'posted' END AS status,
       md5('invoice' || id)::uuid AS journal_entry_id, late_fee_for_id AS late_fee_of_invoice_id,
       violation_step_id AS violation_escalation_id, NULL::uuid AS run_id,
       (SELECT coalesce(sum(amount_applied), 0)
          FROM public.accounting_paymentapplication
         WHERE invoice_id = accounting_invoice.id)::numeric(15,2) AS applied
  FROM public.accounting_invoice;

CREATE VIEW hoa_import.payments AS
SELECT tenant_id, id, owner_id, payment_date AS received_on, amount, lower(payment_method) AS method,
       reference_number AS reference, 'posted' AS status, md5('payment' || id)::uuid AS journal_entry_id,
       (SELECT coalesce(sum(amount_applied), 0)
          FROM public.accounting_paymentapplication
         WHERE payment_id = accounting_payment.id)::numeric(15,2) AS applied
  FROM public.accounting_payment;

CREATE VIEW hoa_import.payment_applications AS
SELECT tenant_id, id, payment_id, invoice_id, amount_applied AS amount, applied_date AS applied_on,
       md5('application' || id)::uuid AS journal_entry_id, NULL::uuid AS reversal_entry_id, NULL::uuid AS run_id
  FROM public.accounting_paymentapplication;

-- posted_in is the transaction that posted an entry; here any, before all others.
-- The ledger: the application's own entries, with what they post to receivables (1200) and prepayments (2200) on
-- account 3900, and against that one entry for every invoice, payment and application. So 1200 is what the invoices say
-- and 2200 what the payments say, on any day; and 3900 comes to zero, or to the amount by which the application's books
-- were wrong.
CREATE VIEW hoa_import.brought_over AS
SELECT tenant_id, md5('invoice' || id)::uuid AS entry_id, 'OPEN-' || invoice_number AS entry_number,
       invoice_date AS entry_date, 'invoice' AS source, NULL::uuid AS reverses_entry_id,
       '1200' AS debit, '3900' AS credit, total_amount AS amount
  FROM public.accounting_invoice
 UNION ALL
SELECT tenant_id, md5('void' || id)::uuid, 'VOID-' || invoice_number, invoice_date, 'reversal',
       md5('invoice' || id)::uuid, '3900', '1200', total_amount
  FROM public.accounting_invoice
 WHERE status = 'CANCELLED'
 UNION ALL
SELECT tenant_id, md5('payment' || id)::uuid, 'PAID-' || id, payment_date, 'payment', NULL, '3900', '2200', amount
  FROM public.accounting_payment
 UNION ALL
SELECT tenant_id, md5('application' || id)::uuid, 'APPLIED-' || id, applied_date, 'credit_application', NULL,
       '2200', '1200', amount_applied
  FROM public.accounting_paymentapplication;

CREATE VIEW hoa_import.journal_entries AS
SELECT tenant_id, id, entry_number, entry_date, description, 'manual' AS source,
       NULL::uuid AS reverses_entry_id, '1'::xid8 AS posted_in
  FROM public.accounting_journalentry
 UNION ALL
SELECT tenant_id, entry_id, entry_number, entry_date, 'Brought over', source, reverses_entry_id, '1'
  FROM hoa_import.brought_over;

CREATE VIEW hoa_import.journal_entry_lines AS
SELECT lines.tenant_id, lines.journal_entry_id AS entry_id, lines.line_number,
       CASE WHEN own.account_number IN ('1200', '2200') THEN opening.id ELSE own.id END AS account_id,
       lines.debit_amount AS debit, lines.credit_amount AS credit, '' AS memo,
       '1'::xid8 AS posted_in
  FROM public.accounting_journalentryline AS lines
  JOIN public.accounting_account AS own ON own.id = lines.account_id
  LEFT JOIN public.accounting_account AS opening
    ON opening.tenant_id = lines.tenant_id AND opening.account_number = '3900'
 UNION ALL
SELECT brought_over.tenant_id, brought_over.entry_id, side.line_number, accounts.id, side.debit, side.credit, '', '1'
  FROM hoa_import.brought_over
 CROSS JOIN LATERAL (VALUES (1, brought_over.debit, amount, 0), (2, brought_over.credit, 0, amount))
    AS side (line_number, number, debit, credit)
  LEFT JOIN public.accounting_account AS accounts
    ON accounts.tenant_id = brought_over.tenant_id AND accounts.account_number = side.number;

CREATE VIEW hoa_import.invoice_lines AS
SELECT invoices.tenant_id, invoices.id AS invoice_id, 1 AS line_number, accounts.id AS account_id,
       'Brought over' AS description, invoices.amount, invoices.kind AS charge_kind
  FROM hoa_import.invoices
  LEFT JOIN public.accounting_account AS accounts
    ON accounts.tenant_id = invoices.tenant_id AND accounts.account_number = '3900';

CREATE VIEW hoa.journal_entries AS SELECT * FROM hoa_import.journal_entries;
CREATE VIEW hoa.journal_entry_lines AS SELECT * FROM hoa_import.journal_entry_lines;
CREATE VIEW hoa.violation_escalations AS SELECT * FROM hoa_import.violation_escalations;
CREATE VIEW hoa.invoices AS SELECT * FROM hoa_import.invoices;
CREATE VIEW hoa.invoice_lines AS SELECT * FROM hoa_import.invoice_lines;
CREATE VIEW hoa.payments AS SELECT * FROM hoa_import.payments;
CREATE VIEW hoa.payment_applications AS SELECT * FROM hoa_import.payment_applications;
