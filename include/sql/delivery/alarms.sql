-- delivery/alarms: notes how bad it is, and returns what got worse since it was last noted: more messages, or newer
-- ones.
UPDATE outbox_alarms AS known
   SET messages = stuck.messages,
       newest = greatest(known.newest, stuck.newest),
       raised_at = CASE WHEN stuck.messages > known.messages OR stuck.newest > known.newest
                        THEN now() ELSE known.raised_at END
  FROM stuck_messages(%(waiting_since)s) AS stuck
 WHERE known.alarm = stuck.alarm
   AND (stuck.messages <> known.messages OR stuck.newest > known.newest)
RETURNING known.alarm, known.messages, known.raised_at IS NOT DISTINCT FROM now() AS got_worse
