-- An entry that closes a fiscal year says so, so that budgets are not compared with emptied accounts. What was posted
-- before stays as it is: the journal is append-only. A view of an application's is left alone.

DO $closing_entries$
BEGIN
    IF EXISTS (SELECT FROM pg_class WHERE oid = to_regclass('journal_entries') AND relkind IN ('r', 'p')) THEN
        ALTER TABLE journal_entries DROP CONSTRAINT IF EXISTS journal_entries_source_check;
        ALTER TABLE journal_entries ADD CONSTRAINT journal_entries_source_check CHECK (
            source IN ('manual', 'invoice', 'payment', 'credit_application', 'reversal', 'closing'));
        COMMENT ON COLUMN journal_entries.source IS
            'What the entry came from. closing: it empties revenue and expense accounts at the end of a fiscal year.';
    END IF;
END
$closing_entries$;
