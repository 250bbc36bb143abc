-- schema/functions/operations/delivery_channel: how a message goes out. Whoever asks for neither e-mail nor silence
-- gets a letter, in whatever word an application's view says so.
CREATE OR REPLACE FUNCTION delivery_channel(preference text, email text, must_be_served boolean) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN preference = 'none' AND NOT must_be_served THEN 'suppressed'
                WHEN coalesce(preference, 'email') = 'email' AND email IS NOT NULL THEN 'email'
                ELSE 'letter' END
$$;
COMMENT ON FUNCTION delivery_channel IS
    'How a message goes out: by preference (null: e-mail), as a letter where there is no e-mail address; '
    'what must be served is never suppressed.';
