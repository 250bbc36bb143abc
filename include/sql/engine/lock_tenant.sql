-- engine/lock_tenant: one run at a time per association, and nobody else takes a document number meanwhile.
-- A statement of its own: the posting statement after it then sees everything that others committed before.
SELECT document_counters.kind
  FROM document_counters
 WHERE document_counters.tenant_id = %(tenant_id)s
 ORDER BY document_counters.kind
   FOR UPDATE
