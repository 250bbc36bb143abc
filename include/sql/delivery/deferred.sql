-- delivery/deferred: e-mails that were deferred and are not given up, or that another delivery has claimed and may have
-- died over.
SELECT count(*) AS messages,
       max(CASE state WHEN 'pending' THEN not_before
                      ELSE claimed_at + %(minutes)s * interval '1 minute' END) AS next_try
  FROM outbox
 WHERE channel = 'email'
   AND (state = 'sending' OR state = 'pending' AND attempts > 0)
HAVING count(*) > 0
