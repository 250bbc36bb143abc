-- delivery/enqueue: freezes a message; its key makes sure that it exists once.
INSERT INTO outbox (tenant_id, run_id, kind, reference_id, recipient_id, channel, state, sender_name, recipient_name,
                    recipient_address, subject, text_body, html_body, attachment)
SELECT %(tenant_id)s, %(run_id)s, %(kind)s, %(reference_id)s, %(recipient_id)s,
       CASE channel WHEN 'suppressed' THEN 'email' ELSE channel END,
       CASE channel WHEN 'suppressed' THEN 'suppressed' ELSE 'pending' END,
       %(sender_name)s, %(recipient_name)s,
       CASE channel WHEN 'letter' THEN %(postal_address)s ELSE %(email)s END,
       %(subject)s, %(text_body)s, %(html_body)s, %(attachment)s
  FROM delivery_channel(%(preference)s, %(email)s, %(must_be_served)s) AS channel
ON CONFLICT (tenant_id, kind, reference_id, recipient_id) DO NOTHING
