-- delivery/obsolete: no longer true when it was about to leave.
UPDATE outbox
   SET state = 'obsolete', claimed_by = NULL, claimed_at = NULL, finished_at = clock_timestamp()
 WHERE id = %(id)s
   AND state = 'sending'
   AND claimed_by = %(claimed_by)s
