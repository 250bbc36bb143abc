-- engine/open_counters: an association's first document needs counters to count from.
INSERT INTO document_counters (tenant_id, kind)
VALUES (%(tenant_id)s, 'invoice'), (%(tenant_id)s, 'journal_entry')
ON CONFLICT DO NOTHING
