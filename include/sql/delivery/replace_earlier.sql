-- delivery/replace_earlier: of a kind of which a newer message says all that the earlier ones said, only a run's own go
-- out: what recipients were sent earlier and has not left yet is obsolete. What is being handed over is left alone.
UPDATE outbox AS earlier
   SET state = 'obsolete', claimed_by = NULL, claimed_at = NULL, finished_at = clock_timestamp()
  FROM outbox AS newer
 WHERE newer.tenant_id = %(tenant_id)s
   AND newer.kind = %(kind)s
   AND newer.run_id = %(run_id)s
   AND earlier.tenant_id = newer.tenant_id
   AND earlier.kind = newer.kind
   AND earlier.recipient_id = newer.recipient_id
   AND earlier.created_at < newer.created_at
   AND (earlier.state IN ('pending', 'failed') OR earlier.state = 'sending' AND earlier.handed_over_at IS NULL)
