-- books/reversals/lock: until the transaction ends nobody applies a payment to these invoices, and no mail about them
-- leaves.
WITH {% include 'books/reversals/selected.sql' %},
locked AS (
    SELECT invoices.id, invoices.tenant_id, invoices.owner_id, invoices.violation_escalation_id
      FROM invoices
     WHERE invoices.tenant_id = %(tenant_id)s
       AND invoices.id IN (SELECT selected.id FROM selected)
     ORDER BY invoices.id
       FOR UPDATE
)
SELECT outbox.id
  FROM locked
  JOIN outbox
    ON outbox.tenant_id = locked.tenant_id
   AND outbox.reference_id IN (locked.id, locked.violation_escalation_id)
   AND outbox.recipient_id = locked.owner_id
 ORDER BY outbox.id
   FOR UPDATE OF outbox
