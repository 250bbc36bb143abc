-- The way back: the application's own tables learn what was posted since the switch-over, all or nothing. Stop the jobs
-- and the application first. Run it as one who may read the views and write the application's tables. Done again, it
-- adds nothing.
BEGIN;
-- What owners had paid ahead at the switch-over (put its date in) stood in receivables (1200) here, in prepayments
-- (2200) there.
WITH ahead AS (
    SELECT tenant_id, sum(CASE WHEN credit = '2200' THEN amount WHEN debit = '2200' THEN -amount END) AS amount
      FROM hoa_import.brought_over
     WHERE entry_id IN (SELECT id FROM hoa.journal_entries)
     GROUP BY tenant_id
),
entries AS (
    INSERT INTO public.accounting_journalentry (id, tenant_id, entry_number, entry_date, description, created_at)
    SELECT md5('ahead' || tenant_id)::uuid, tenant_id, 'PAID-AHEAD', '2025-10-29', 'Paid ahead at the switch-over',
           '2025-10-29'
      FROM ahead
     WHERE amount > 0
        ON CONFLICT DO NOTHING
    RETURNING id, tenant_id
)
INSERT INTO public.accounting_journalentryline
    (id, tenant_id, journal_entry_id, line_number, account_id, debit_amount, credit_amount)
SELECT md5(entries.id::text || side.line_number)::uuid, entries.tenant_id, entries.id, side.line_number,
       accounts.id AS account_id,
       side.debit, side.credit
  FROM entries
  JOIN ahead ON ahead.tenant_id = entries.tenant_id
 CROSS JOIN LATERAL (VALUES (1, '1200', ahead.amount, 0), (2, '2200', 0, ahead.amount))
    AS side (line_number, number, debit, credit)
  JOIN public.accounting_account AS accounts
    ON accounts.tenant_id = entries.tenant_id AND accounts.account_number = side.number;

CREATE TEMPORARY TABLE new_entries ON COMMIT DROP AS
SELECT posted.*
  FROM hoa_app.accounting_journalentry AS posted
 WHERE NOT EXISTS (SELECT FROM public.accounting_journalentry AS known WHERE known.id = posted.id);
INSERT INTO public.accounting_journalentry (id, tenant_id, entry_number, entry_date, description, created_at)
SELECT id, tenant_id, entry_number, entry_date, description, created_at
  FROM new_entries;
INSERT INTO public.accounting_journalentryline
    (id, tenant_id, journal_entry_id, line_number, account_id, debit_amount, credit_amount)
SELECT id, tenant_id, journal_entry_id, line_number, account_id, debit_amount, credit_amount
  FROM hoa_app.accounting_journalentryline
 WHERE journal_entry_id IN (SELECT id FROM new_entries);

INSERT INTO public.accounting_violationescalation
    (id, tenant_id, violation_id, step_number, step_name, escalated_at, fine_amount)
SELECT id, tenant_id, violation_id, step_number, step_name, escalated_at, fine_amount
  FROM hoa_app.accounting_violationescalation
    ON CONFLICT DO NOTHING;
INSERT INTO public.accounting_invoice
    (id, tenant_id, invoice_number, invoice_type, unit_id, owner_id, invoice_date, due_date,
     total_amount, amount_paid, status, late_fee_for_id, violation_step_id)
SELECT id, tenant_id, invoice_number, invoice_type, unit_id, owner_id, invoice_date, due_date,
       total_amount, amount_paid, status, late_fee_for_id, violation_step_id
  FROM hoa_app.accounting_invoice
    ON CONFLICT (id) DO UPDATE SET amount_paid = excluded.amount_paid, status = excluded.status
 WHERE (accounting_invoice.amount_paid, accounting_invoice.status = 'CANCELLED')
       IS DISTINCT FROM (excluded.amount_paid, excluded.status = 'CANCELLED');
INSERT INTO public.accounting_payment (id, tenant_id, owner_id, payment_date, amount, payment_method, reference_number)
SELECT id, tenant_id, owner_id, payment_date, amount, payment_method, reference_number
  FROM hoa_app.accounting_payment
    ON CONFLICT DO NOTHING;
INSERT INTO public.accounting_paymentapplication (id, tenant_id, payment_id, invoice_id, amount_applied, applied_date)
SELECT id, tenant_id, payment_id, invoice_id, amount_applied, applied_date
  FROM hoa_app.accounting_paymentapplication
    ON CONFLICT DO NOTHING;
COMMIT;
