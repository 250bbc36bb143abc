-- schema/functions/operations/stuck_messages: how many messages need a person, one row an alarm.
CREATE OR REPLACE FUNCTION stuck_messages(waiting_since timestamptz)
RETURNS TABLE (alarm text, messages bigint, newest timestamptz) LANGUAGE sql STABLE SET search_path FROM CURRENT AS $$
    SELECT 'dead_letters', count(*), max(finished_at) FROM outbox WHERE state = 'failed'
     UNION ALL
    SELECT 'uncertain', count(*), max(finished_at) FROM outbox WHERE state = 'uncertain'
     UNION ALL
    SELECT 'waiting', count(*), max(created_at)
      FROM outbox
     WHERE state IN ('pending', 'sending') AND channel = 'email' AND created_at < waiting_since
$$;
COMMENT ON FUNCTION stuck_messages IS
    'Messages that need a person: dead letters, uncertain ones, and e-mail that has waited since before a moment.';
