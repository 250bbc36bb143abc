-- delivery/release: claimed, but the server was to blame: back in the queue as if never claimed.
UPDATE outbox
   SET state = 'pending', attempts = attempts - 1, claimed_by = NULL, claimed_at = NULL, handed_over_at = NULL
 WHERE id = ANY (%(ids)s)
   AND state = 'sending'
   AND claimed_by = %(claimed_by)s
