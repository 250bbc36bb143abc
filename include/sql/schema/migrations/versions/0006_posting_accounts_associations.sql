-- The accounts that the jobs post to, where an association's are not the usual ones. Nothing changes for those that
-- name none. What an application has a view of is left alone, and a key to a view cannot be.
CREATE TABLE IF NOT EXISTS posting_accounts (
    tenant_id      uuid NOT NULL,
    purpose        text NOT NULL
                   CHECK (purpose IN ('receivables', 'prepayments', 'assessments', 'special_assessments', 'other',
                                      'late_fees', 'fines')),
    account_number text NOT NULL,
    PRIMARY KEY (tenant_id, purpose)
);

DO $posting_accounts$
BEGIN
    IF EXISTS (SELECT FROM pg_class WHERE oid = to_regclass('posting_accounts') AND relkind IN ('r', 'p')) THEN
        COMMENT ON TABLE posting_accounts IS
            'The account that an association''s postings of a purpose go to. Without a row: the usual one.';
        IF EXISTS (SELECT FROM pg_class WHERE oid = to_regclass('tenants') AND relkind IN ('r', 'p')) THEN
            ALTER TABLE posting_accounts ADD FOREIGN KEY (tenant_id) REFERENCES tenants;
        END IF;
        IF EXISTS (SELECT FROM pg_class WHERE oid = to_regclass('accounts') AND relkind IN ('r', 'p')) THEN
            ALTER TABLE posting_accounts
                ADD FOREIGN KEY (tenant_id, account_number) REFERENCES accounts (tenant_id, number) ON UPDATE CASCADE;
        END IF;
    END IF;
END
$posting_accounts$;
