-- schema/triggers/associations/journal_entry_lines: append-only, and every entry balances.
CREATE OR REPLACE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON journal_entry_lines
    FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only();

CREATE OR REPLACE TRIGGER balance AFTER INSERT ON journal_entry_lines
    REFERENCING NEW TABLE AS inserted_lines
    FOR EACH STATEMENT EXECUTE FUNCTION journal_entry_lines_balance();
