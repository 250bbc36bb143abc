-- schema/triggers/associations/payments: what is in `applied` is what the applications come to.
CREATE OR REPLACE TRIGGER applied_starts_at_zero AFTER INSERT ON payments
    FOR EACH ROW WHEN (new.applied <> 0) EXECUTE FUNCTION applied_is_kept();

CREATE OR REPLACE TRIGGER applied_is_kept AFTER UPDATE ON payments
    FOR EACH ROW WHEN (new.applied <> old.applied OR new.owner_id <> old.owner_id)
    EXECUTE FUNCTION applied_is_kept();
