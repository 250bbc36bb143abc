-- schema/functions/operations/document_numbers: how a document number is written, and the next free one.
CREATE OR REPLACE FUNCTION document_number(kind text, number bigint) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE kind WHEN 'invoice' THEN 'INV-' WHEN 'journal_entry' THEN 'JE-' END
        || lpad(number::text, greatest(5, length(number::text)), '0')
$$;

-- Whoever posts takes the counters in one order, whichever number is asked for first: else a program that numbers its
-- journal entry before its invoice, and a job, wait for each other.
CREATE OR REPLACE FUNCTION next_document_number(for_tenant uuid, of_kind text) RETURNS text
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    taken bigint;
BEGIN
    INSERT INTO document_counters (tenant_id, kind) VALUES (for_tenant, 'invoice'), (for_tenant, 'journal_entry')
        ON CONFLICT DO NOTHING;
    PERFORM FROM document_counters WHERE tenant_id = for_tenant ORDER BY kind FOR UPDATE;
    UPDATE document_counters SET last_number = last_number + 1
     WHERE tenant_id = for_tenant AND kind = of_kind
     RETURNING last_number INTO taken;
    RETURN document_number(of_kind, taken);
END
$$;
COMMENT ON FUNCTION next_document_number IS
    'For people and programs that post documents themselves: the next free number; held until their transaction ends.';
