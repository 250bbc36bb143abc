-- schema/triggers/associations/invoice_lines: the lines add up to the invoice.
CREATE OR REPLACE TRIGGER add_up AFTER INSERT ON invoice_lines
    REFERENCING NEW TABLE AS inserted_lines
    FOR EACH STATEMENT EXECUTE FUNCTION invoice_lines_add_up();
