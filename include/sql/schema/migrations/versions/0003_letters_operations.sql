-- A message that goes by mail is a letter, and what a person records of it is that it was mailed.

ALTER TABLE outbox DROP CONSTRAINT outbox_channel_check, DROP CONSTRAINT outbox_check;
UPDATE outbox SET channel = 'letter' WHERE channel = 'post';
ALTER TABLE outbox
    ADD CONSTRAINT outbox_channel_check CHECK (channel IN ('email', 'letter')),
    ADD CONSTRAINT outbox_check CHECK (channel = 'letter' OR state = 'suppressed' OR recipient_address IS NOT NULL);

ALTER TABLE outbox_actions DROP CONSTRAINT outbox_actions_action_check;
UPDATE outbox_actions SET action = 'mailed' WHERE action = 'posted';
ALTER TABLE outbox_actions
    ADD CONSTRAINT outbox_actions_action_check CHECK (action IN ('requeue', 'cancel', 'mailed'));
