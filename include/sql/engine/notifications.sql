-- engine/notifications: what became of the messages that a DAG run's job put into the outbox, per subject of the
-- message.
SELECT outbox.reference_id, outbox.channel, outbox.state, count(*) AS messages
  FROM outbox
  JOIN runs ON runs.id = outbox.run_id
 WHERE runs.dag_run_id = %(dag_run_id)s
   AND runs.job = %(job)s
 GROUP BY outbox.reference_id, outbox.channel, outbox.state
