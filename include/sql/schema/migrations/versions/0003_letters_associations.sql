-- An owner who prefers paper gets a letter. A view of an application's is left as it is: see docs/adopting.md.

DO $letters$
BEGIN
    IF EXISTS (SELECT FROM pg_class WHERE oid = to_regclass('notification_preferences') AND relkind IN ('r', 'p')) THEN
        ALTER TABLE notification_preferences DROP CONSTRAINT IF EXISTS notification_preferences_channel_check;
        UPDATE notification_preferences SET channel = 'letter' WHERE channel = 'post';
        ALTER TABLE notification_preferences
            ADD CONSTRAINT notification_preferences_channel_check CHECK (channel IN ('email', 'letter', 'none'));
    END IF;
END
$letters$;
