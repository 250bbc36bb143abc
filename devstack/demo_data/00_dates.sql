-- The data are as of October 29, 2025, the day of the user's document. If the setting demo.today names another day,
-- what is recent moves with it: a day keeps its distance from today; a day of the calendar, such as the end of a
-- quarter, moves by whole months. What began earlier stays.
CREATE FUNCTION pg_temp.today() RETURNS date
LANGUAGE sql AS $$
    SELECT coalesce(nullif(current_setting('demo.today', TRUE), ''), '2025-10-29')::date
$$;

CREATE FUNCTION pg_temp.day(told date) RETURNS date
LANGUAGE sql AS $$
    SELECT told + (pg_temp.today() - '2025-10-29'::date)
$$;

CREATE FUNCTION pg_temp.calendar_day(told date) RETURNS date
LANGUAGE sql AS $$
    SELECT (told + age(date_trunc('month', pg_temp.today()), '2025-10-01'))::date
$$;

-- The demo goes on to November and bills it. On any other day the first month to bill is the current one.
CREATE FUNCTION pg_temp.first_billed_month() RETURNS date
LANGUAGE sql AS $$
    SELECT CASE WHEN pg_temp.today() = '2025-10-29' THEN '2025-11-01'::date
                ELSE date_trunc('month', pg_temp.today())::date
           END
$$;

CREATE FUNCTION pg_temp.of_this_year(told text) RETURNS text
LANGUAGE sql AS $$
    SELECT replace(told, '2025', to_char(pg_temp.today(), 'YYYY'))
$$;
