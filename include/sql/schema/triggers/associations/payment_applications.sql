-- schema/triggers/associations/payment_applications: they are posted and taken back, and payments and invoices know
-- what is applied.
CREATE OR REPLACE TRIGGER stand BEFORE UPDATE ON payment_applications
    FOR EACH ROW EXECUTE FUNCTION applications_stand();

CREATE OR REPLACE TRIGGER are_not_deleted BEFORE DELETE OR TRUNCATE ON payment_applications
    FOR EACH STATEMENT EXECUTE FUNCTION applications_stand();

CREATE OR REPLACE TRIGGER keep_applied_when_posted AFTER INSERT ON payment_applications
    REFERENCING NEW TABLE AS touched_applications
    FOR EACH STATEMENT EXECUTE FUNCTION keep_applied();

CREATE OR REPLACE TRIGGER keep_applied_when_taken_back AFTER UPDATE ON payment_applications
    REFERENCING NEW TABLE AS touched_applications
    FOR EACH STATEMENT EXECUTE FUNCTION keep_applied();
