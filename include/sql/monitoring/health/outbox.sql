-- monitoring/health/outbox: how many messages need a person, by what is wrong with them.
SELECT stuck.alarm, stuck.messages
  FROM stuck_messages(%(waiting_since)s) AS stuck
 WHERE stuck.messages > 0
