-- delivery/outcomes: what became of the messages that a DAG run's job put into the outbox, per subject; those first
-- that were sent.
SELECT DISTINCT outbox.reference_id, outbox.channel, outbox.state, outbox.state = 'sent' AS is_sent
  FROM outbox
  JOIN runs ON runs.id = outbox.run_id
 WHERE runs.dag_run_id = %(dag_run_id)s
   AND runs.job = %(job)s
 ORDER BY outbox.reference_id, is_sent DESC, outbox.channel, outbox.state DESC
