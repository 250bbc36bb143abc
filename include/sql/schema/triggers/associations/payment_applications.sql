-- schema/triggers/associations/payment_applications: no more is applied than there is.
CREATE OR REPLACE TRIGGER fit AFTER INSERT ON payment_applications
    REFERENCING NEW TABLE AS inserted_applications
    FOR EACH STATEMENT EXECUTE FUNCTION payment_applications_fit();
