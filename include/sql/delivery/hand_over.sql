-- delivery/hand_over: from here on the mail server may have the message. Refused when another delivery took the claim
-- over.
UPDATE outbox
   SET handed_over_at = clock_timestamp(), claimed_at = clock_timestamp()
 WHERE id = %(id)s
   AND state = 'sending'
   AND claimed_by = %(claimed_by)s
