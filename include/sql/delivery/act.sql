-- delivery/act: what a person does to messages, with who and why.
WITH recorded AS (
    INSERT INTO outbox_actions (message_id, action, from_state, acted_by, reason)
    SELECT id, %(action)s, state, %(who)s, %(why)s
      FROM outbox
     WHERE id = ANY (%(ids)s)
    RETURNING message_id
)
UPDATE outbox
   SET state = %(state)s, claimed_by = NULL, claimed_at = NULL,
       attempts = CASE %(state)s WHEN 'pending' THEN 0 ELSE attempts END,
       not_before = CASE %(state)s WHEN 'pending' THEN clock_timestamp() ELSE not_before END,
       handed_over_at = CASE %(state)s WHEN 'pending' THEN NULL ELSE handed_over_at END,
       finished_at = CASE %(state)s WHEN 'pending' THEN NULL ELSE clock_timestamp() END
  FROM recorded
 WHERE outbox.id = recorded.message_id
