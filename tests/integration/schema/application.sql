-- An application's database as the commands of the old crontab know it: tables as Django makes them, random keys without
-- defaults, balances kept on the invoice, payments posted straight to receivables. October 2025 has been billed; the
-- books are in order. Oak Terrace is another association, which must not be mixed up with it.
CREATE TABLE public.tenants_tenant (
    id uuid PRIMARY KEY, schema_name varchar(63) NOT NULL UNIQUE, name varchar(200) NOT NULL, is_active boolean NOT NULL,
    state varchar(20) NOT NULL, created_at timestamptz NOT NULL);
CREATE TABLE public.accounting_boardmember (
    id uuid PRIMARY KEY, tenant_id uuid NOT NULL REFERENCES public.tenants_tenant, position varchar(40) NOT NULL,
    first_name varchar(100) NOT NULL, last_name varchar(100) NOT NULL, email varchar(254) NOT NULL, is_active boolean NOT NULL);
CREATE TABLE public.accounting_owner (
    id uuid PRIMARY KEY, tenant_id uuid NOT NULL REFERENCES public.tenants_tenant, first_name varchar(100) NOT NULL,
    last_name varchar(100) NOT NULL, email varchar(254) NOT NULL, mailing_address text NOT NULL,
    wants_paper boolean NOT NULL, payment_plan_until date, payment_plan_since date, created_at timestamptz NOT NULL);
CREATE TABLE public.accounting_unit (
    id uuid PRIMARY KEY, tenant_id uuid NOT NULL REFERENCES public.tenants_tenant, unit_number varchar(20) NOT NULL,
    status varchar(20) NOT NULL, monthly_assessment numeric(10,2) NOT NULL, UNIQUE (tenant_id, unit_number));
CREATE TABLE public.accounting_ownership (
    id uuid PRIMARY KEY, tenant_id uuid NOT NULL REFERENCES public.tenants_tenant,
    unit_id uuid NOT NULL REFERENCES public.accounting_unit, owner_id uuid NOT NULL REFERENCES public.accounting_owner,
    ownership_percentage numeric(5,2) NOT NULL, start_date date NOT NULL, end_date date, is_current boolean NOT NULL);
CREATE TABLE public.accounting_account (
    id uuid PRIMARY KEY, tenant_id uuid NOT NULL REFERENCES public.tenants_tenant, account_number varchar(20) NOT NULL,
    name varchar(200) NOT NULL, account_type varchar(20) NOT NULL, is_active boolean NOT NULL);
CREATE TABLE public.accounting_journalentry (
    id uuid PRIMARY KEY, tenant_id uuid NOT NULL REFERENCES public.tenants_tenant, entry_number varchar(20) NOT NULL,
    entry_date date NOT NULL, description text NOT NULL, created_at timestamptz NOT NULL, UNIQUE (tenant_id, entry_number));
CREATE TABLE public.accounting_journalentryline (
    id uuid PRIMARY KEY, tenant_id uuid NOT NULL REFERENCES public.tenants_tenant,
    journal_entry_id uuid NOT NULL REFERENCES public.accounting_journalentry, line_number integer NOT NULL,
    account_id uuid NOT NULL REFERENCES public.accounting_account, debit_amount numeric(15,2) NOT NULL,
    credit_amount numeric(15,2) NOT NULL);
CREATE TABLE public.accounting_invoice (
    id uuid PRIMARY KEY, tenant_id uuid NOT NULL REFERENCES public.tenants_tenant, invoice_number varchar(20) NOT NULL,
    invoice_type varchar(20) NOT NULL, unit_id uuid NOT NULL REFERENCES public.accounting_unit,
    owner_id uuid NOT NULL REFERENCES public.accounting_owner, invoice_date date NOT NULL, due_date date NOT NULL,
    total_amount numeric(15,2) NOT NULL, amount_paid numeric(15,2) NOT NULL, status varchar(20) NOT NULL,
    late_fee_for_id uuid REFERENCES public.accounting_invoice, violation_step_id uuid, UNIQUE (tenant_id, invoice_number));
CREATE TABLE public.accounting_payment (
    id uuid PRIMARY KEY, tenant_id uuid NOT NULL REFERENCES public.tenants_tenant,
    owner_id uuid NOT NULL REFERENCES public.accounting_owner, payment_date date NOT NULL, amount numeric(15,2) NOT NULL,
    payment_method varchar(20) NOT NULL, reference_number varchar(50) NOT NULL);
CREATE TABLE public.accounting_paymentapplication (
    id uuid PRIMARY KEY, tenant_id uuid NOT NULL REFERENCES public.tenants_tenant,
    payment_id uuid NOT NULL REFERENCES public.accounting_payment,
    invoice_id uuid NOT NULL REFERENCES public.accounting_invoice, amount_applied numeric(15,2) NOT NULL,
    applied_date date NOT NULL);
CREATE TABLE public.accounting_violationtype (
    id uuid PRIMARY KEY, tenant_id uuid NOT NULL REFERENCES public.tenants_tenant, name varchar(100) NOT NULL);
CREATE TABLE public.accounting_violation (
    id uuid PRIMARY KEY, tenant_id uuid NOT NULL REFERENCES public.tenants_tenant, violation_number varchar(20) NOT NULL,
    unit_id uuid NOT NULL REFERENCES public.accounting_unit,
    violation_type_id uuid NOT NULL REFERENCES public.accounting_violationtype, description text NOT NULL,
    status varchar(20) NOT NULL, reported_date date NOT NULL, cure_deadline date NOT NULL);
CREATE TABLE public.accounting_violationescalation (
    id uuid PRIMARY KEY, tenant_id uuid NOT NULL REFERENCES public.tenants_tenant,
    violation_id uuid NOT NULL REFERENCES public.accounting_violation, step_number integer NOT NULL,
    step_name varchar(100) NOT NULL, escalated_at timestamptz NOT NULL, fine_amount numeric(10,2) NOT NULL);
CREATE TABLE public.accounting_latefeerule (
    id uuid PRIMARY KEY, tenant_id uuid NOT NULL REFERENCES public.tenants_tenant, flat_amount numeric(10,2) NOT NULL,
    percentage numeric(5,2) NOT NULL, grace_period_days integer NOT NULL, effective_date date NOT NULL);
CREATE TABLE public.accounting_budget (
    id uuid PRIMARY KEY, tenant_id uuid NOT NULL REFERENCES public.tenants_tenant, name varchar(200) NOT NULL,
    fiscal_year integer NOT NULL, start_date date NOT NULL, end_date date NOT NULL, status varchar(20) NOT NULL);
CREATE TABLE public.accounting_budgetline (
    id uuid PRIMARY KEY, tenant_id uuid NOT NULL REFERENCES public.tenants_tenant,
    budget_id uuid NOT NULL REFERENCES public.accounting_budget, account_id uuid NOT NULL REFERENCES public.accounting_account,
    budgeted_amount numeric(15,2) NOT NULL);

-- Rows. A key is made of what it stands for, so that the statements can name each other's rows.
CREATE FUNCTION public.key(VARIADIC parts text[]) RETURNS uuid LANGUAGE sql IMMUTABLE AS
    $$ SELECT md5(array_to_string(parts, ':'))::uuid $$;

INSERT INTO public.tenants_tenant
SELECT public.key(code), code, name, true, 'CO', '2023-01-01'
  FROM (VALUES ('maple_court', 'Maple Court HOA'), ('oak_terrace', 'Oak Terrace HOA')) AS given (code, name);
INSERT INTO public.tenants_tenant VALUES (public.key('gone_hills'), 'gone_hills', 'Gone Hills HOA', false, 'CO', '2023-01-01');

INSERT INTO public.accounting_boardmember
SELECT public.key(code, role), public.key(code), role, 'Terry', role, lower(role) || '@' || code || '.example', true
  FROM (VALUES ('maple_court', 'TREASURER'), ('maple_court', 'PRESIDENT'), ('oak_terrace', 'TREASURER')) AS given (code, role);

INSERT INTO public.accounting_owner
SELECT public.key(code, name), public.key(code), name, 'Example', email, '1 Main Street', email = '', plan_until,
       plan_until - 300, '2023-01-01'
  FROM (VALUES ('maple_court', 'Ann', 'ann@example.com', NULL::date), ('maple_court', 'Ben', 'ben@example.com', NULL),
               ('maple_court', 'Cora', '', NULL), ('maple_court', 'Dan', 'dan@example.com', '2026-03-31'),
               ('maple_court', 'Eve', 'eve@example.com', NULL), ('oak_terrace', 'Ann', 'ann@example.com', NULL))
       AS given (code, name, email, plan_until);

INSERT INTO public.accounting_unit
SELECT public.key(code, 'unit', number), public.key(code), number, status, 250.00
  FROM (VALUES ('maple_court', '101', 'OCCUPIED'), ('maple_court', '102', 'OCCUPIED'), ('maple_court', '103', 'RENTED'),
               ('maple_court', '104', 'OCCUPIED'), ('maple_court', '105', 'VACANT'), ('oak_terrace', '101', 'OCCUPIED'))
       AS given (code, number, status);
-- 102 belongs to Ben and Cora; Eve sold 104 to Dan.
INSERT INTO public.accounting_ownership
SELECT public.key(code, number, name), public.key(code), public.key(code, 'unit', number), public.key(code, name),
       percentage, since, until, until IS NULL
  FROM (VALUES ('maple_court', '101', 'Ann', 100, '2020-01-01'::date, NULL::date),
               ('maple_court', '102', 'Ben', 60, '2020-01-01', NULL), ('maple_court', '102', 'Cora', 40, '2020-01-01', NULL),
               ('maple_court', '103', 'Cora', 100, '2020-01-01', NULL), ('maple_court', '104', 'Eve', 100, '2020-01-01', '2025-06-30'),
               ('maple_court', '104', 'Dan', 100, '2025-07-01', NULL), ('maple_court', '105', 'Eve', 100, '2020-01-01', NULL),
               ('oak_terrace', '101', 'Ann', 100, '2020-01-01', NULL)) AS given (code, number, name, percentage, since, until);

INSERT INTO public.accounting_account
SELECT public.key(code, number), public.key(code), number, name, type, true
  FROM (VALUES ('1000', 'Operating Cash', 'ASSET'), ('1200', 'Accounts Receivable', 'ASSET'), ('3000', 'Fund Balance', 'EQUITY'),
               ('4100', 'Assessment Revenue', 'REVENUE'), ('4200', 'Late Fee Revenue', 'REVENUE'),
               ('4300', 'Fine Revenue', 'REVENUE'), ('5100', 'Landscaping', 'EXPENSE')) AS account (number, name, type)
 CROSS JOIN (VALUES ('maple_court'), ('oak_terrace')) AS tenant (code);

CREATE FUNCTION public.post(code text, number text, on_day date, debit text, credit text, amount numeric) RETURNS void LANGUAGE sql AS $$
    INSERT INTO public.accounting_journalentry
    VALUES (public.key(code, number), public.key(code), number, on_day, 'As the application posts it', on_day);
    INSERT INTO public.accounting_journalentryline
    VALUES (public.key(code, number, '1'), public.key(code), public.key(code, number), 1, public.key(code, debit), amount, 0),
           (public.key(code, number, '2'), public.key(code), public.key(code, number), 2, public.key(code, credit), 0, amount)
$$;
CREATE FUNCTION public.invoice(code text, number text, type text, unit text, owner text, on_day date, amount numeric,
                               paid numeric, state text, revenue text) RETURNS void LANGUAGE sql AS $$
    INSERT INTO public.accounting_invoice
    VALUES (public.key(code, number), public.key(code), number, type, public.key(code, 'unit', unit), public.key(code, owner),
            on_day, on_day, amount, paid, state);
    SELECT public.post(code, 'JE-' || right(number, 5), on_day, '1200', revenue, amount)
$$;
-- One owner is billed for all of a unit, rented ones never: as the old job does it.
SELECT public.invoice('maple_court', 'INV-00001', 'ASSESSMENT', '101', 'Ann', '2025-09-01', 250, 250, 'PAID', '4100'),
       public.invoice('maple_court', 'INV-00002', 'ASSESSMENT', '102', 'Ben', '2025-09-01', 250, 100, 'OVERDUE', '4100'),
       public.invoice('maple_court', 'INV-00003', 'ASSESSMENT', '104', 'Dan', '2025-09-01', 250, 0, 'OVERDUE', '4100'),
       public.invoice('maple_court', 'INV-00004', 'LATE_FEE', '102', 'Ben', '2025-09-06', 25, 0, 'OVERDUE', '4200'),
       public.invoice('maple_court', 'INV-00005', 'FINE', '101', 'Ann', '2025-09-20', 50, 0, 'OVERDUE', '4300'),
       public.invoice('maple_court', 'INV-00006', 'ASSESSMENT', '101', 'Ann', '2025-10-01', 250, 0, 'OVERDUE', '4100'),
       public.invoice('maple_court', 'INV-00007', 'ASSESSMENT', '102', 'Ben', '2025-10-01', 250, 0, 'OVERDUE', '4100'),
       public.invoice('maple_court', 'INV-00008', 'ASSESSMENT', '104', 'Dan', '2025-10-01', 250, 0, 'CANCELLED', '4100'),
       public.invoice('oak_terrace', 'INV-00001', 'ASSESSMENT', '101', 'Ann', '2025-10-01', 250, 250, 'PAID', '4100');
UPDATE public.accounting_invoice SET late_fee_for_id = public.key('maple_court', 'INV-00002') WHERE invoice_type = 'LATE_FEE';
SELECT public.post('maple_court', 'JE-00009', '2025-10-02', '4100', '1200', 250);  -- INV-00008 was taken back.

-- Ann paid 40 more than she owed in September.
INSERT INTO public.accounting_payment
SELECT public.key(code, number), public.key(code), public.key(code, name), on_day, amount, 'CHECK', number
  FROM (VALUES ('maple_court', 'P-1', 'Ann', '2025-09-03'::date, 290), ('maple_court', 'P-2', 'Ben', '2025-09-12', 100),
               ('oak_terrace', 'P-1', 'Ann', '2025-10-04', 250)) AS given (code, number, name, on_day, amount);
INSERT INTO public.accounting_paymentapplication
SELECT public.key(code, number, invoice), public.key(code), public.key(code, number), public.key(code, invoice), amount, on_day
  FROM (VALUES ('maple_court', 'P-1', 'INV-00001', 250, '2025-09-03'::date), ('maple_court', 'P-2', 'INV-00002', 100, '2025-09-12'),
               ('oak_terrace', 'P-1', 'INV-00001', 250, '2025-10-04')) AS given (code, number, invoice, amount, on_day);
SELECT public.post('maple_court', 'JE-00010', '2025-09-03', '1000', '1200', 290),
       public.post('maple_court', 'JE-00011', '2025-09-12', '1000', '1200', 100),
       public.post('oak_terrace', 'JE-00002', '2025-10-04', '1000', '1200', 250),
       public.post('maple_court', 'JE-00012', '2025-10-10', '5100', '1000', 14500);

-- The first is known to the application as escalated once, on September 20.
INSERT INTO public.accounting_violationtype VALUES (public.key('parking'), public.key('maple_court'), 'Parking');
INSERT INTO public.accounting_violation
SELECT public.key(number), public.key('maple_court'), number, public.key('maple_court', 'unit', unit), public.key('parking'),
       'A boat in the drive', status, deadline - 14, deadline
  FROM (VALUES ('VIOL-2025-001', '101', 'escalated', '2025-09-19'::date), ('VIOL-2025-002', '103', 'open', '2025-10-20'),
               ('VIOL-2025-003', '102', 'resolved', '2025-10-01')) AS given (number, unit, status, deadline);
INSERT INTO public.accounting_violationescalation
VALUES (public.key('VIOL-2025-001', '1'), public.key('maple_court'), public.key('VIOL-2025-001'), 1, 'First notice',
        '2025-09-20 10:00+00', 50);
UPDATE public.accounting_invoice SET violation_step_id = public.key('VIOL-2025-001', '1') WHERE invoice_type = 'FINE';

INSERT INTO public.accounting_latefeerule
VALUES (public.key('rule'), public.key('maple_court'), 25, 0, 5, '2023-01-01');
INSERT INTO public.accounting_budget
VALUES (public.key('budget'), public.key('maple_court'), '2025 Operating Budget', 2025, '2025-01-01', '2025-12-31', 'APPROVED');
INSERT INTO public.accounting_budgetline
VALUES (public.key('budget', '5100'), public.key('maple_court'), public.key('budget'), public.key('maple_court', '5100'), 12000);

DROP FUNCTION public.invoice(text, text, text, text, text, date, numeric, numeric, text, text);
DROP FUNCTION public.post(text, text, date, text, text, numeric);
