-- schema/functions/operations/posting_account: the account that a posting needs. Errors of class HO are written for
-- people and carry no personal data.
CREATE OR REPLACE FUNCTION posting_account(for_tenant uuid, wanted_number text, purpose text) RETURNS uuid
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
DECLARE
    found_id uuid;
BEGIN
    SELECT id INTO found_id FROM accounts WHERE tenant_id = for_tenant AND number = wanted_number AND active;
    IF found_id IS NULL THEN
        RAISE EXCEPTION 'no active account % (%): add it to the chart of accounts, or name the account to use in the table '
                        'posting_accounts, then run again', wanted_number, purpose USING ERRCODE = 'HO001';
    END IF;
    RETURN found_id;
END
$$;
