-- What a unit is charged, and its status, get a history. Every unit goes on with the assessment and the status it has,
-- as if they had always been so. Where the units are an application's view, so do the views that are made of it here;
-- what an application has a view of already is left alone, and a key to a view cannot be.

DO $recurring_charges$
DECLARE
    units_are_a_table boolean := EXISTS (
        SELECT FROM pg_class WHERE oid = to_regclass('units') AND relkind IN ('r', 'p'));
    units_have_an_assessment boolean := EXISTS (
        SELECT FROM pg_attribute
         WHERE attrelid = to_regclass('units') AND attname = 'monthly_assessment' AND NOT attisdropped);
    units_have_a_status boolean := EXISTS (
        SELECT FROM pg_attribute WHERE attrelid = to_regclass('units') AND attname = 'status' AND NOT attisdropped);
BEGIN
    IF to_regclass('unit_statuses') IS NULL AND units_have_a_status AND NOT units_are_a_table THEN
        CREATE VIEW unit_statuses AS
        SELECT tenant_id, id AS unit_id, status, '1900-01-01'::date AS starts_on
          FROM units;
    ELSIF to_regclass('unit_statuses') IS NULL THEN
        CREATE TABLE unit_statuses (
            tenant_id uuid NOT NULL,
            unit_id   uuid NOT NULL,
            status    text NOT NULL CHECK (status IN ('occupied', 'rented', 'vacant', 'exempt')),
            starts_on date NOT NULL,
            PRIMARY KEY (tenant_id, unit_id, starts_on)
        );
        COMMENT ON TABLE unit_statuses IS
            'From which day on a unit is occupied, rented, vacant or exempt, until its next status starts.';
        IF units_are_a_table THEN
            ALTER TABLE unit_statuses ADD FOREIGN KEY (tenant_id, unit_id) REFERENCES units (tenant_id, id);
            IF units_have_a_status THEN
                INSERT INTO unit_statuses (tenant_id, unit_id, status, starts_on)
                SELECT tenant_id, id, status, '1900-01-01' FROM units;
            END IF;
        END IF;
    END IF;

    IF to_regclass('recurring_charges') IS NULL AND units_have_an_assessment AND NOT units_are_a_table THEN
        CREATE VIEW recurring_charges AS
        SELECT tenant_id, id, id AS unit_id, 'assessment' AS charge_kind, 'Assessment' AS description,
               monthly_assessment AS amount, 'monthly' AS frequency, '1900-01-01'::date AS starts_on,
               NULL::date AS ends_on, NULL::integer AS installments, NULL::uuid AS account_id
          FROM units;
    ELSIF to_regclass('recurring_charges') IS NULL THEN
        CREATE TABLE recurring_charges (
            tenant_id    uuid NOT NULL,
            id           uuid NOT NULL DEFAULT uuidv7(),
            unit_id      uuid NOT NULL,
            charge_kind  text NOT NULL CHECK (charge_kind IN ('assessment', 'special_assessment', 'other')),
            description  text NOT NULL CHECK (description <> '' AND description !~ '[\r\n]'),
            amount       numeric(15,2) NOT NULL,
            frequency    text NOT NULL DEFAULT 'monthly'
                         CHECK (frequency IN ('monthly', 'quarterly', 'semiannual', 'yearly')),
            starts_on    date NOT NULL CHECK (isfinite(starts_on)),
            ends_on      date CHECK (ends_on >= starts_on),
            installments integer CHECK (installments >= 1),
            account_id   uuid,
            PRIMARY KEY (tenant_id, id)
        );
        CREATE INDEX ON recurring_charges (tenant_id, unit_id);
        COMMENT ON TABLE recurring_charges IS
            'What a unit is charged again and again. A new price is a new row of the same kind and description; the old '
            'row ends the day before.';
        COMMENT ON COLUMN recurring_charges.amount IS 'What is charged each time; for a special assessment, one installment.';
        COMMENT ON COLUMN recurring_charges.frequency IS
            'How often it is charged: in the month of the first day, and every 1, 3, 6 or 12 months after.';
        COMMENT ON COLUMN recurring_charges.installments IS 'How many times it is charged at most; null: no limit.';
        COMMENT ON COLUMN recurring_charges.account_id IS
            'The revenue account; null: the association''s account for charges of the kind.';
        IF EXISTS (SELECT FROM pg_class WHERE oid = to_regclass('accounts') AND relkind IN ('r', 'p')) THEN
            ALTER TABLE recurring_charges ADD FOREIGN KEY (tenant_id, account_id) REFERENCES accounts (tenant_id, id);
        END IF;
        IF units_are_a_table THEN
            ALTER TABLE recurring_charges ADD FOREIGN KEY (tenant_id, unit_id) REFERENCES units (tenant_id, id);
            IF units_have_an_assessment THEN
                INSERT INTO recurring_charges (tenant_id, unit_id, charge_kind, description, amount, starts_on)
                SELECT tenant_id, id, 'assessment', 'Assessment', monthly_assessment, '1900-01-01' FROM units;
            END IF;
        END IF;
    END IF;

    IF units_are_a_table THEN
        ALTER TABLE units DROP COLUMN IF EXISTS monthly_assessment, DROP COLUMN IF EXISTS status;
    END IF;
END
$recurring_charges$;
