-- schema/functions/associations/journal_entry_lines_balance: every entry balances at all times. An entry's lines are
-- inserted by one statement, and every such statement must balance per entry: that costs one aggregate per statement
-- instead of one trigger call per row.
CREATE OR REPLACE FUNCTION journal_entry_lines_balance() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    unbalanced record;
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
    RETURN NULL;
END
$$;
