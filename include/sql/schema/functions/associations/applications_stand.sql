-- schema/functions/associations/applications_stand: an application of a payment stays as it was posted, until an entry
-- takes it back, which it does once.
CREATE OR REPLACE FUNCTION applications_stand() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF OLD.reversal_entry_id IS NULL
           AND NEW.reversal_entry_id IS NOT NULL
           AND (NEW.tenant_id, NEW.id, NEW.payment_id, NEW.invoice_id, NEW.amount, NEW.applied_on, NEW.journal_entry_id)
             = (OLD.tenant_id, OLD.id, OLD.payment_id, OLD.invoice_id, OLD.amount, OLD.applied_on, OLD.journal_entry_id)
        THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'applications of payments are never changed: % on % refused; take one back by an entry that reverses '
                    'its own, and set reversal_entry_id to that', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END
$$;
