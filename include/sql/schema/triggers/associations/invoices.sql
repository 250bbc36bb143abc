-- schema/triggers/associations/invoices: what is in `applied` is what the applications come to.
CREATE OR REPLACE TRIGGER applied_starts_at_zero AFTER INSERT ON invoices
    FOR EACH ROW WHEN (new.applied <> 0) EXECUTE FUNCTION applied_is_kept();

CREATE OR REPLACE TRIGGER applied_is_kept AFTER UPDATE ON invoices
    FOR EACH ROW WHEN (new.applied <> old.applied OR new.owner_id <> old.owner_id)
    EXECUTE FUNCTION applied_is_kept();
