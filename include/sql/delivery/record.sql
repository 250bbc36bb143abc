-- delivery/record: what the mail server said to a message; counts even if it was taken for uncertain meanwhile, but not
-- if another delivery has it in hand.
UPDATE outbox
   SET state = %(state)s, last_response = %(response)s, claimed_by = NULL, claimed_at = NULL,
       handed_over_at = CASE %(state)s WHEN 'pending' THEN NULL ELSE handed_over_at END,
       not_before = CASE %(state)s WHEN 'pending' THEN clock_timestamp() + %(delay)s ELSE not_before END,
       finished_at = CASE %(state)s WHEN 'pending' THEN NULL ELSE clock_timestamp() END
 WHERE id = %(id)s
   AND (state = 'uncertain' OR state = 'sending' AND claimed_by = %(claimed_by)s)
