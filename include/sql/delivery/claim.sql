-- delivery/claim: the next batch of e-mails that are due, oldest first; other deliveries pass over what is claimed.
UPDATE outbox
   SET state = 'sending', attempts = outbox.attempts + 1, handed_over_at = NULL,
       claimed_by = %(claimed_by)s, claimed_at = clock_timestamp()
  FROM (SELECT due.id
          FROM outbox AS due
         WHERE due.channel = 'email'
           AND due.state = 'pending'
           AND due.not_before <= clock_timestamp()
         ORDER BY due.not_before, due.id
         LIMIT %(batch_size)s
           FOR UPDATE SKIP LOCKED) AS claimed
 WHERE outbox.id = claimed.id
RETURNING outbox.*, (SELECT runs.as_of FROM runs WHERE runs.id = outbox.run_id) AS as_of
