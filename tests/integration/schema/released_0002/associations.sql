-- The associations' own records: who owns what, what is owed, what was broken, what was budgeted.
-- Runs with search_path set to the associations' schema; nothing here names a schema.

DO $supply_uuidv7$
BEGIN
    -- Built in from PostgreSQL 18. Time-ordered keys insert faster and index smaller than random ones.
    IF to_regprocedure('uuidv7()') IS NULL THEN
        CREATE FUNCTION uuidv7() RETURNS uuid LANGUAGE sql VOLATILE PARALLEL SAFE AS $function$
            SELECT encode(
                set_bit(set_bit(
                    overlay(
                        uuid_send(gen_random_uuid())
                        PLACING substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3)
                        FROM 1 FOR 6),
                    52, 1), 53, 1), 'hex')::uuid
        $function$;
    END IF;
END
$supply_uuidv7$;

CREATE TABLE tenants (
    id                 uuid PRIMARY KEY DEFAULT uuidv7(),
    code               text NOT NULL UNIQUE CHECK (code ~ '^[a-z0-9][a-z0-9-]*$'),
    name               text NOT NULL CHECK (name <> '' AND name !~ '[\r\n]'),
    status             text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'trial', 'suspended', 'inactive')),
    billing_starts_on  date,
    payment_terms_days integer NOT NULL DEFAULT 0 CHECK (payment_terms_days BETWEEN 0 AND 365),
    bills_vacant_units boolean NOT NULL DEFAULT false,
    emails_invoices    boolean NOT NULL DEFAULT true,
    payment_instructions text NOT NULL DEFAULT '',
    reminder_cooldown_days integer CHECK (reminder_cooldown_days BETWEEN 1 AND 365),
    fine_cap_per_violation numeric(15,2) CHECK (fine_cap_per_violation >= 0),
    fine_cap_per_year      numeric(15,2) CHECK (fine_cap_per_year >= 0)
);
COMMENT ON TABLE tenants IS 'One association each. Only active ones are worked on.';
COMMENT ON COLUMN tenants.billing_starts_on IS 'No period before this day''s month is ever billed.';
COMMENT ON COLUMN tenants.fine_cap_per_year IS 'Most that one unit is fined in a calendar year.';

CREATE TABLE contacts (
    tenant_id uuid NOT NULL REFERENCES tenants,
    id        uuid NOT NULL DEFAULT uuidv7(),
    role      text NOT NULL CHECK (role IN ('treasurer', 'board', 'manager')),
    full_name text NOT NULL,
    email     text CHECK (email !~ '\s'),
    active    boolean NOT NULL DEFAULT true,
    PRIMARY KEY (tenant_id, id)
);

CREATE TABLE owners (
    tenant_id      uuid NOT NULL REFERENCES tenants,
    id             uuid NOT NULL DEFAULT uuidv7(),
    full_name      text NOT NULL CHECK (full_name <> ''),
    email          text CHECK (email !~ '\s'),
    postal_address text,
    PRIMARY KEY (tenant_id, id)
);

CREATE TABLE notification_preferences (
    tenant_id uuid NOT NULL,
    owner_id  uuid NOT NULL,
    channel   text NOT NULL CHECK (channel IN ('email', 'post', 'none')),
    PRIMARY KEY (tenant_id, owner_id),
    FOREIGN KEY (tenant_id, owner_id) REFERENCES owners (tenant_id, id)
);
COMMENT ON TABLE notification_preferences IS 'How an owner wants to be told; without a row: e-mail.';

CREATE TABLE units (
    tenant_id          uuid NOT NULL REFERENCES tenants,
    id                 uuid NOT NULL DEFAULT uuidv7(),
    unit_number        text NOT NULL CHECK (unit_number <> ''),
    status             text NOT NULL DEFAULT 'occupied' CHECK (status IN ('occupied', 'rented', 'vacant', 'exempt')),
    monthly_assessment numeric(15,2) NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, unit_number)
);

CREATE TABLE ownerships (
    tenant_id  uuid NOT NULL,
    id         uuid NOT NULL DEFAULT uuidv7(),
    unit_id    uuid NOT NULL,
    owner_id   uuid NOT NULL,
    percentage numeric(7,4) NOT NULL DEFAULT 100 CHECK (percentage > 0 AND percentage <= 100),
    starts_on  date NOT NULL,
    ends_on    date,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, unit_id) REFERENCES units (tenant_id, id),
    FOREIGN KEY (tenant_id, owner_id) REFERENCES owners (tenant_id, id),
    CHECK (ends_on >= starts_on)
);
CREATE INDEX ON ownerships (tenant_id, unit_id);
CREATE INDEX ON ownerships (tenant_id, owner_id);
COMMENT ON COLUMN ownerships.ends_on IS 'Last day of ownership; the next owner starts the day after.';

CREATE TABLE holds (
    tenant_id uuid NOT NULL,
    id        uuid NOT NULL DEFAULT uuidv7(),
    owner_id  uuid NOT NULL,
    kind      text NOT NULL CHECK (kind IN ('payment_plan', 'dispute', 'bankruptcy', 'hardship', 'other')),
    reason    text NOT NULL CHECK (reason <> ''),
    starts_on date NOT NULL,
    ends_on   date NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, owner_id) REFERENCES owners (tenant_id, id),
    CHECK (ends_on >= starts_on)
);
CREATE INDEX ON holds (tenant_id, owner_id);
COMMENT ON TABLE holds IS 'Payment plans and holds: while one runs (both days included), no late fee and no reminder.';

CREATE TABLE funds (
    tenant_id uuid NOT NULL REFERENCES tenants,
    id        uuid NOT NULL DEFAULT uuidv7(),
    name      text NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, name)
);

CREATE TABLE accounts (
    tenant_id uuid NOT NULL REFERENCES tenants,
    id        uuid NOT NULL DEFAULT uuidv7(),
    fund_id   uuid,
    number    text NOT NULL,
    name      text NOT NULL,
    type      text NOT NULL CHECK (type IN ('asset', 'liability', 'equity', 'revenue', 'expense')),
    active    boolean NOT NULL DEFAULT true,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, number),
    FOREIGN KEY (tenant_id, fund_id) REFERENCES funds (tenant_id, id)
);

-- The general ledger. ------------------------------------------------------------------------------------

CREATE TABLE journal_entries (
    tenant_id         uuid NOT NULL REFERENCES tenants,
    id                uuid NOT NULL DEFAULT uuidv7(),
    entry_number      text NOT NULL,
    entry_date        date NOT NULL,
    description       text NOT NULL,
    source            text NOT NULL DEFAULT 'manual'
                      CHECK (source IN ('manual', 'invoice', 'payment', 'credit_application', 'reversal')),
    reverses_entry_id uuid,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, entry_number),
    UNIQUE (tenant_id, reverses_entry_id),
    FOREIGN KEY (tenant_id, reverses_entry_id) REFERENCES journal_entries (tenant_id, id),
    CHECK ((source = 'reversal') = (reverses_entry_id IS NOT NULL))
);
CREATE INDEX ON journal_entries (tenant_id, entry_date);

CREATE TABLE journal_entry_lines (
    tenant_id   uuid NOT NULL,
    entry_id    uuid NOT NULL,
    line_number integer NOT NULL,
    account_id  uuid NOT NULL,
    debit       numeric(15,2) NOT NULL DEFAULT 0 CHECK (debit >= 0),
    credit      numeric(15,2) NOT NULL DEFAULT 0 CHECK (credit >= 0),
    memo        text NOT NULL DEFAULT '',
    PRIMARY KEY (tenant_id, entry_id, line_number),
    FOREIGN KEY (tenant_id, entry_id) REFERENCES journal_entries (tenant_id, id),
    FOREIGN KEY (tenant_id, account_id) REFERENCES accounts (tenant_id, id),
    CHECK ((debit = 0) <> (credit = 0))
);
CREATE INDEX ON journal_entry_lines (tenant_id, account_id);

-- An entry's lines are inserted by one statement, and every such statement must balance per entry; so every
-- entry balances at all times, for the price of one aggregate per statement instead of one trigger per row.
CREATE FUNCTION journal_entry_lines_balance() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    unbalanced record;
BEGIN
    SELECT entry_id, sum(debit) AS debits, sum(credit) AS credits INTO unbalanced
      FROM inserted_lines
     GROUP BY tenant_id, entry_id
    HAVING sum(debit) <> sum(credit)
     LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'journal entry % does not balance: debits %, credits % (insert all lines of an entry in one statement)',
            unbalanced.entry_id, unbalanced.debits, unbalanced.credits USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER balance AFTER INSERT ON journal_entry_lines
    REFERENCING NEW TABLE AS inserted_lines
    FOR EACH STATEMENT EXECUTE FUNCTION journal_entry_lines_balance();

CREATE FUNCTION journal_is_append_only() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    RAISE EXCEPTION 'the journal is append-only: % on % refused; post a reversing entry instead', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON journal_entries
    FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON journal_entry_lines
    FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only();

-- Violations. --------------------------------------------------------------------------------------------

CREATE TABLE violation_types (
    tenant_id uuid NOT NULL REFERENCES tenants,
    id        uuid NOT NULL DEFAULT uuidv7(),
    name      text NOT NULL CHECK (name <> '' AND name !~ '[\r\n]'),
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, name)
);

CREATE TABLE fine_schedules (
    tenant_id         uuid NOT NULL REFERENCES tenants,
    id                uuid NOT NULL DEFAULT uuidv7(),
    violation_type_id uuid,
    PRIMARY KEY (tenant_id, id),
    UNIQUE NULLS NOT DISTINCT (tenant_id, violation_type_id),
    FOREIGN KEY (tenant_id, violation_type_id) REFERENCES violation_types (tenant_id, id)
);
COMMENT ON COLUMN fine_schedules.violation_type_id IS 'Null: the association''s default, for types without a schedule.';

CREATE TABLE fine_schedule_steps (
    tenant_id               uuid NOT NULL,
    schedule_id             uuid NOT NULL,
    step                    integer NOT NULL CHECK (step >= 1),
    name                    text NOT NULL,
    fine                    numeric(15,2) NOT NULL CHECK (fine >= 0),
    days_after_previous     integer NOT NULL CHECK (days_after_previous >= 0),
    requires_board_approval boolean NOT NULL DEFAULT false,
    PRIMARY KEY (tenant_id, schedule_id, step),
    FOREIGN KEY (tenant_id, schedule_id) REFERENCES fine_schedules (tenant_id, id)
);
COMMENT ON COLUMN fine_schedule_steps.days_after_previous IS 'Days since the previous step; for the first step, since the cure deadline.';

CREATE TABLE violations (
    tenant_id         uuid NOT NULL,
    id                uuid NOT NULL DEFAULT uuidv7(),
    violation_number  text NOT NULL,
    unit_id           uuid NOT NULL,
    violation_type_id uuid NOT NULL,
    description       text NOT NULL,
    status            text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'escalated', 'cured', 'closed')),
    reported_on       date NOT NULL,
    cure_deadline     date NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, violation_number),
    FOREIGN KEY (tenant_id, unit_id) REFERENCES units (tenant_id, id),
    FOREIGN KEY (tenant_id, violation_type_id) REFERENCES violation_types (tenant_id, id)
);
CREATE INDEX ON violations (tenant_id, cure_deadline) WHERE status IN ('open', 'escalated');
CREATE INDEX ON violations (tenant_id, unit_id);

CREATE TABLE violation_escalations (
    tenant_id      uuid NOT NULL,
    id             uuid NOT NULL DEFAULT uuidv7(),
    violation_id   uuid NOT NULL,
    step           integer NOT NULL CHECK (step >= 1),
    step_name      text NOT NULL,
    escalated_on   date NOT NULL,
    scheduled_fine numeric(15,2) NOT NULL CHECK (scheduled_fine >= 0),
    fine           numeric(15,2) NOT NULL CHECK (fine >= 0 AND fine <= scheduled_fine),
    status         text NOT NULL DEFAULT 'applied' CHECK (status IN ('applied', 'pending_approval', 'approved', 'rejected')),
    run_id         uuid,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, violation_id, step),
    FOREIGN KEY (tenant_id, violation_id) REFERENCES violations (tenant_id, id)
);
CREATE INDEX ON violation_escalations (tenant_id, run_id);
COMMENT ON COLUMN violation_escalations.run_id IS 'The run that recorded it (run ledger); null when a person did.';

-- Receivables. -------------------------------------------------------------------------------------------

CREATE TABLE invoices (
    tenant_id               uuid NOT NULL,
    id                      uuid NOT NULL DEFAULT uuidv7(),
    number                  text NOT NULL,
    kind                    text NOT NULL CHECK (kind IN ('assessment', 'late_fee', 'fine', 'other')),
    unit_id                 uuid NOT NULL,
    owner_id                uuid NOT NULL,
    invoice_date            date NOT NULL,
    due_date                date NOT NULL CHECK (due_date >= invoice_date),
    period                  date CHECK (period = date_trunc('month', period)),
    amount                  numeric(15,2) NOT NULL CHECK (amount > 0),
    status                  text NOT NULL DEFAULT 'posted' CHECK (status IN ('posted', 'void')),
    journal_entry_id        uuid NOT NULL,
    late_fee_of_invoice_id  uuid,
    violation_escalation_id uuid,
    run_id                  uuid,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, number),
    UNIQUE (tenant_id, journal_entry_id),
    FOREIGN KEY (tenant_id, unit_id) REFERENCES units (tenant_id, id),
    FOREIGN KEY (tenant_id, owner_id) REFERENCES owners (tenant_id, id),
    FOREIGN KEY (tenant_id, journal_entry_id) REFERENCES journal_entries (tenant_id, id),
    FOREIGN KEY (tenant_id, late_fee_of_invoice_id) REFERENCES invoices (tenant_id, id),
    FOREIGN KEY (tenant_id, violation_escalation_id) REFERENCES violation_escalations (tenant_id, id),
    CHECK ((kind = 'assessment') = (period IS NOT NULL AND late_fee_of_invoice_id IS NULL)),
    CHECK ((kind = 'late_fee') = (late_fee_of_invoice_id IS NOT NULL)),
    CHECK ((kind = 'fine') = (violation_escalation_id IS NOT NULL))
);
COMMENT ON COLUMN invoices.period IS
    'First day of the month: the month billed (assessment), or the month a monthly late fee stands for (null: once per invoice).';
-- The natural keys: what may be charged once only. A void invoice frees its key, so that it can be billed again.
CREATE UNIQUE INDEX invoices_assessment_once ON invoices (tenant_id, unit_id, owner_id, period)
    WHERE kind = 'assessment' AND status <> 'void';
CREATE UNIQUE INDEX invoices_late_fee_once ON invoices (tenant_id, late_fee_of_invoice_id, period) NULLS NOT DISTINCT
    WHERE kind = 'late_fee' AND status <> 'void';
CREATE UNIQUE INDEX invoices_fine_once ON invoices (tenant_id, violation_escalation_id, owner_id)
    WHERE kind = 'fine' AND status <> 'void';
CREATE INDEX ON invoices (tenant_id, owner_id, due_date);
CREATE INDEX ON invoices (tenant_id, unit_id, kind, invoice_date);
CREATE INDEX ON invoices (tenant_id, run_id);

CREATE TABLE invoice_lines (
    tenant_id   uuid NOT NULL,
    invoice_id  uuid NOT NULL,
    line_number integer NOT NULL,
    account_id  uuid NOT NULL,
    description text NOT NULL,
    amount      numeric(15,2) NOT NULL,
    PRIMARY KEY (tenant_id, invoice_id, line_number),
    FOREIGN KEY (tenant_id, invoice_id) REFERENCES invoices (tenant_id, id),
    FOREIGN KEY (tenant_id, account_id) REFERENCES accounts (tenant_id, id)
);

CREATE FUNCTION invoice_lines_add_up() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    wrong record;
BEGIN
    SELECT invoices.number, invoices.amount, lines.total INTO wrong
      FROM (SELECT tenant_id, invoice_id, sum(amount) AS total FROM inserted_lines GROUP BY tenant_id, invoice_id) AS lines
      JOIN invoices ON invoices.tenant_id = lines.tenant_id AND invoices.id = lines.invoice_id
     WHERE invoices.amount <> lines.total
     LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'invoice % is for % but its lines add up to % (insert all lines of an invoice in one statement)',
            wrong.number, wrong.amount, wrong.total USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER add_up AFTER INSERT ON invoice_lines
    REFERENCING NEW TABLE AS inserted_lines
    FOR EACH STATEMENT EXECUTE FUNCTION invoice_lines_add_up();

CREATE TABLE payments (
    tenant_id        uuid NOT NULL,
    id               uuid NOT NULL DEFAULT uuidv7(),
    owner_id         uuid NOT NULL,
    received_on      date NOT NULL,
    amount           numeric(15,2) NOT NULL CHECK (amount > 0),
    method           text NOT NULL DEFAULT 'check',
    reference        text NOT NULL DEFAULT '',
    status           text NOT NULL DEFAULT 'posted' CHECK (status IN ('posted', 'returned')),
    journal_entry_id uuid NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, journal_entry_id),
    FOREIGN KEY (tenant_id, owner_id) REFERENCES owners (tenant_id, id),
    FOREIGN KEY (tenant_id, journal_entry_id) REFERENCES journal_entries (tenant_id, id)
);
CREATE INDEX ON payments (tenant_id, owner_id);
COMMENT ON TABLE payments IS
    'Money received: debit cash, credit owner prepayments (2200). Applying it to an invoice moves it from 2200 to receivables (1200).';

CREATE TABLE payment_applications (
    tenant_id        uuid NOT NULL,
    id               uuid NOT NULL DEFAULT uuidv7(),
    payment_id       uuid NOT NULL,
    invoice_id       uuid NOT NULL,
    amount           numeric(15,2) NOT NULL CHECK (amount > 0),
    applied_on       date NOT NULL,
    journal_entry_id uuid NOT NULL,
    reversal_entry_id uuid,
    run_id           uuid,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, payment_id) REFERENCES payments (tenant_id, id),
    FOREIGN KEY (tenant_id, invoice_id) REFERENCES invoices (tenant_id, id),
    FOREIGN KEY (tenant_id, journal_entry_id) REFERENCES journal_entries (tenant_id, id),
    FOREIGN KEY (tenant_id, reversal_entry_id) REFERENCES journal_entries (tenant_id, id)
);
CREATE INDEX ON payment_applications (tenant_id, payment_id);
CREATE INDEX ON payment_applications (tenant_id, invoice_id);
COMMENT ON COLUMN payment_applications.reversal_entry_id IS
    'The entry that took the application back: from its date on the money is the owner''s credit again. Null: it stands.';

-- Two people, or a person and a run, may apply the same payment at the same moment: whoever comes second
-- waits for the rows and then sees what is left. Runs as the owner: locking rows takes more rights than the jobs have.
CREATE FUNCTION payment_applications_fit() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
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
CREATE TRIGGER fit AFTER INSERT ON payment_applications
    REFERENCING NEW TABLE AS inserted_applications
    FOR EACH STATEMENT EXECUTE FUNCTION payment_applications_fit();

CREATE VIEW invoice_balances AS
    SELECT invoices.tenant_id, invoices.id AS invoice_id, invoices.number, invoices.kind, invoices.unit_id, invoices.owner_id,
           invoices.invoice_date, invoices.due_date, invoices.amount,
           invoices.amount - coalesce(applied.amount, 0) AS balance
      FROM invoices
      LEFT JOIN LATERAL (
           SELECT sum(payment_applications.amount) AS amount
             FROM payment_applications
            WHERE payment_applications.tenant_id = invoices.tenant_id
              AND payment_applications.invoice_id = invoices.id
              AND payment_applications.reversal_entry_id IS NULL) AS applied ON true
     WHERE invoices.status <> 'void';
COMMENT ON VIEW invoice_balances IS 'What is still open on every invoice that is not void.';

CREATE VIEW owner_credits AS
    SELECT payments.tenant_id, payments.owner_id, payments.id AS payment_id, payments.received_on,
           payments.amount - coalesce(applied.amount, 0) AS unapplied
      FROM payments
      LEFT JOIN LATERAL (
           SELECT sum(payment_applications.amount) AS amount
             FROM payment_applications
            WHERE payment_applications.tenant_id = payments.tenant_id
              AND payment_applications.payment_id = payments.id
              AND payment_applications.reversal_entry_id IS NULL) AS applied ON true
     WHERE payments.status = 'posted'
       AND payments.amount > coalesce(applied.amount, 0);
COMMENT ON VIEW owner_credits IS 'Payments that are not yet wholly applied to invoices.';

CREATE TABLE late_fee_rules (
    tenant_id       uuid NOT NULL REFERENCES tenants,
    id              uuid NOT NULL DEFAULT uuidv7(),
    fee_type        text NOT NULL CHECK (fee_type IN ('flat', 'percentage', 'both', 'greater')),
    flat_amount     numeric(15,2) NOT NULL DEFAULT 0 CHECK (flat_amount >= 0),
    percentage      numeric(7,4) NOT NULL DEFAULT 0 CHECK (percentage >= 0 AND percentage <= 100),
    fee_cap         numeric(15,2) CHECK (fee_cap > 0),
    minimum_balance numeric(15,2) NOT NULL DEFAULT 0 CHECK (minimum_balance >= 0),
    grace_days      integer NOT NULL DEFAULT 5 CHECK (grace_days BETWEEN 0 AND 365),
    frequency       text NOT NULL DEFAULT 'once' CHECK (frequency IN ('once', 'monthly')),
    effective_from  date NOT NULL,
    effective_to    date CHECK (effective_to >= effective_from),
    PRIMARY KEY (tenant_id, id),
    CHECK (fee_type = 'percentage' OR flat_amount > 0),
    CHECK (fee_type = 'flat' OR percentage > 0)
);
COMMENT ON COLUMN late_fee_rules.percentage IS 'In percent of the open balance: 5 means 5 %.';
COMMENT ON COLUMN late_fee_rules.effective_from IS 'Only invoices due on or after this day bear the rule''s fee.';

CREATE TABLE reminder_stages (
    tenant_id    uuid NOT NULL REFERENCES tenants,
    stage        integer NOT NULL CHECK (stage >= 1),
    name         text NOT NULL,
    days_overdue integer NOT NULL CHECK (days_overdue >= 1),
    PRIMARY KEY (tenant_id, stage),
    UNIQUE (tenant_id, days_overdue)
);
COMMENT ON TABLE reminder_stages IS 'From how many days overdue on a reminder takes which tone.';

CREATE TABLE payment_reminders (
    tenant_id     uuid NOT NULL,
    id            uuid NOT NULL DEFAULT uuidv7(),
    owner_id      uuid NOT NULL,
    reminded_on   date NOT NULL,
    stage         integer NOT NULL,
    stage_name    text NOT NULL,
    total_due     numeric(15,2) NOT NULL CHECK (total_due > 0),
    days_overdue  integer NOT NULL,
    invoice_count integer NOT NULL,
    run_id        uuid,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, owner_id, reminded_on),
    FOREIGN KEY (tenant_id, owner_id) REFERENCES owners (tenant_id, id)
);
CREATE INDEX ON payment_reminders (tenant_id, run_id);

-- Budgets. -----------------------------------------------------------------------------------------------

CREATE TABLE budgets (
    tenant_id           uuid NOT NULL REFERENCES tenants,
    id                  uuid NOT NULL DEFAULT uuidv7(),
    fund_id             uuid,
    name                text NOT NULL CHECK (name <> '' AND name !~ '[\r\n]'),
    period_label        text NOT NULL,
    starts_on           date NOT NULL CHECK (starts_on = date_trunc('month', starts_on)),
    ends_on             date NOT NULL CHECK (ends_on + 1 = date_trunc('month', ends_on + 1)),
    status              text NOT NULL DEFAULT 'active' CHECK (status IN ('draft', 'active', 'closed')),
    basis               text NOT NULL DEFAULT 'annual' CHECK (basis IN ('annual', 'to_date')),
    warning_threshold   numeric(7,2) CHECK (warning_threshold >= 0),
    critical_threshold  numeric(7,2) CHECK (critical_threshold >= warning_threshold),
    alert_floor         numeric(15,2) NOT NULL DEFAULT 0 CHECK (alert_floor >= 0),
    alert_cooldown_days integer NOT NULL DEFAULT 0 CHECK (alert_cooldown_days BETWEEN 0 AND 366),
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, fund_id) REFERENCES funds (tenant_id, id),
    CHECK (ends_on > starts_on)
);
COMMENT ON COLUMN budgets.basis IS 'annual: actual against the whole budget; to_date: against the part of it that the period has reached.';
COMMENT ON COLUMN budgets.alert_floor IS 'Variances smaller than this many dollars raise no alert.';

CREATE TABLE budget_lines (
    tenant_id            uuid NOT NULL,
    id                   uuid NOT NULL DEFAULT uuidv7(),
    budget_id            uuid NOT NULL,
    account_id           uuid NOT NULL,
    budgeted             numeric(15,2) NOT NULL,
    warning_threshold    numeric(7,2) CHECK (warning_threshold >= 0),
    critical_threshold   numeric(7,2) CHECK (critical_threshold >= warning_threshold),
    monthly_distribution numeric(7,4)[],
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, budget_id, account_id),
    FOREIGN KEY (tenant_id, budget_id) REFERENCES budgets (tenant_id, id),
    FOREIGN KEY (tenant_id, account_id) REFERENCES accounts (tenant_id, id)
);
COMMENT ON COLUMN budget_lines.monthly_distribution IS
    'Percent of the budget for each month of the period, adding up to 100; null: the same every month.';
