-- What a line charges for decides the order in which payments settle it. A view of an application's is left alone.

DO $charge_kinds$
BEGIN
    IF EXISTS (SELECT FROM pg_class WHERE oid = to_regclass('invoice_lines') AND relkind IN ('r', 'p')) THEN
        ALTER TABLE invoice_lines ADD COLUMN charge_kind text
            CHECK (charge_kind IN ('assessment', 'special_assessment', 'other', 'interest', 'late_fee', 'fine'));
        UPDATE invoice_lines
           SET charge_kind = invoices.kind
          FROM invoices
         WHERE invoices.tenant_id = invoice_lines.tenant_id
           AND invoices.id = invoice_lines.invoice_id;
        ALTER TABLE invoice_lines ALTER COLUMN charge_kind SET NOT NULL;
    END IF;

    IF to_regclass('application_orders') IS NULL THEN
        CREATE TABLE application_orders (
            tenant_id          uuid NOT NULL,
            effective_from     date NOT NULL,
            assessment         integer NOT NULL CHECK (assessment >= 1),
            special_assessment integer NOT NULL CHECK (special_assessment >= 1),
            other              integer NOT NULL CHECK (other >= 1),
            interest           integer NOT NULL CHECK (interest >= 1),
            late_fee           integer NOT NULL CHECK (late_fee >= 1),
            fine               integer NOT NULL CHECK (fine >= 1),
            PRIMARY KEY (tenant_id, effective_from)
        );
        COMMENT ON TABLE application_orders IS
            'The order in which payments settle what an owner owes, from a day on: for each charge kind its rank. 1 is '
            'paid first; of kinds with the same rank, the oldest due first.';
        IF EXISTS (SELECT FROM pg_class WHERE oid = to_regclass('tenants') AND relkind IN ('r', 'p')) THEN
            ALTER TABLE application_orders ADD FOREIGN KEY (tenant_id) REFERENCES tenants;
        END IF;
    END IF;
END
$charge_kinds$;
