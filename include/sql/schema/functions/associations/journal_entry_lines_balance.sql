-- schema/functions/associations/journal_entry_lines_balance: every entry balances at all times, and is complete when it
-- is posted. An entry's lines are inserted by one statement, and every such statement must balance per entry: that
-- costs one aggregate per statement instead of one trigger call per row.
CREATE OR REPLACE FUNCTION journal_entry_lines_balance() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    unbalanced record;
    complete text;
BEGIN
    SELECT entry_id, sum(debit) AS debits, sum(credit) AS credits INTO unbalanced
      FROM inserted_lines
     GROUP BY tenant_id, entry_id
    HAVING sum(debit) <> sum(credit)
     LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'journal entry % does not balance: debits %, credits % '
                        '(insert all lines of an entry in one statement)',
            unbalanced.entry_id, unbalanced.debits, unbalanced.credits USING ERRCODE = 'check_violation';
    END IF;
    SELECT entries.entry_number INTO complete
      FROM (SELECT DISTINCT tenant_id, entry_id FROM inserted_lines) AS lines
      JOIN journal_entries AS entries ON entries.tenant_id = lines.tenant_id AND entries.id = lines.entry_id
     WHERE entries.posted_in <> pg_current_xact_id()
     LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'journal entry % is posted, and nothing is added to it later: post another entry, or insert '
                        'the entry and its lines in one transaction', complete
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END
$$;
