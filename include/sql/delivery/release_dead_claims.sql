-- delivery/release_dead_claims: back to the queue with what a delivery that died had claimed. What it had begun to hand
-- over may have arrived: that is for a person.
UPDATE outbox
   SET state = CASE WHEN handed_over_at IS NULL THEN 'pending' ELSE 'uncertain' END,
       attempts = CASE WHEN handed_over_at IS NULL THEN attempts - 1 ELSE attempts END,
       last_response = CASE WHEN handed_over_at IS NULL THEN last_response
                            ELSE 'the delivery task died while sending this message' END,
       finished_at = CASE WHEN handed_over_at IS NULL THEN NULL ELSE clock_timestamp() END,
       claimed_by = NULL, claimed_at = NULL
 WHERE state = 'sending'
   AND claimed_at < clock_timestamp() - %(minutes)s * interval '1 minute'
RETURNING state
