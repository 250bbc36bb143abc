-- schema/functions/operations/lock_owner_credits: whoever applies a payment locks it and then its invoice, in this
-- order. Runs as the schema owner: locking rows takes more rights than the jobs have.
CREATE OR REPLACE FUNCTION lock_owner_credits(for_tenant uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    owners_with_credit uuid[];
BEGIN
    PERFORM FROM payments
      WHERE tenant_id = for_tenant AND status = 'posted' AND amount - applied > 0
      ORDER BY id FOR NO KEY UPDATE;
    SELECT array_agg(DISTINCT owner_id) INTO owners_with_credit FROM owner_credits WHERE tenant_id = for_tenant;
    PERFORM FROM invoices
      WHERE tenant_id = for_tenant AND owner_id = ANY (owners_with_credit) AND status <> 'void' AND amount - applied > 0
      ORDER BY id FOR NO KEY UPDATE;
END
$$;
COMMENT ON FUNCTION lock_owner_credits IS
    'Locks what owners of an association have paid ahead, and what those owners still owe, until the transaction ends.';
