-- outbox/waiting: e-mails that were put off at least once and are not given up.
SELECT count(*) AS messages, min(not_before) AS next_try
  FROM outbox
 WHERE channel = 'email'
   AND state = 'pending'
   AND attempts > 0
