-- delivery/find_for_action: the messages that a person is about to act on; no delivery can claim them meanwhile.
SELECT id, state, channel
  FROM outbox
 WHERE id = ANY (%(ids)s)
 ORDER BY id
   FOR UPDATE
