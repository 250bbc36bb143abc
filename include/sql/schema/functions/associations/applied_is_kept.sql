-- schema/functions/associations/applied_is_kept: what is in `applied` is what the applications of a payment or an
-- invoice add up to, whoever writes it, and what was applied stays with its owner. A transaction whose snapshot is too
-- old for the sum cannot write the row either.
CREATE OR REPLACE FUNCTION applied_is_kept() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    standing numeric;
BEGIN
    IF TG_TABLE_NAME = 'payments' THEN
        SELECT coalesce(sum(amount), 0) INTO standing
          FROM payment_applications
         WHERE tenant_id = NEW.tenant_id AND payment_id = NEW.id AND reversal_entry_id IS NULL;
    ELSE
        SELECT coalesce(sum(amount), 0) INTO standing
          FROM payment_applications
         WHERE tenant_id = NEW.tenant_id AND invoice_id = NEW.id AND reversal_entry_id IS NULL;
    END IF;
    IF NEW.applied <> standing THEN
        RAISE EXCEPTION 'applied of % follows from payment_applications, which come to %, and cannot be set to %: '
                        'apply a payment, or take an application back', TG_TABLE_NAME, standing, NEW.applied
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF TG_OP = 'UPDATE' AND NEW.applied <> 0 AND NEW.owner_id <> OLD.owner_id THEN
        RAISE EXCEPTION 'a row of % that payments are applied of cannot get another owner: take that back first',
            TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END
$$;
