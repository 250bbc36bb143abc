-- schema/functions/operations/refuse: ends a query with a reason, written for people.
CREATE OR REPLACE FUNCTION refuse(reason text) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%', reason USING ERRCODE = 'HO002';
END
$$;
COMMENT ON FUNCTION refuse IS 'In place of a condition: ends the query with a reason, written for people.';
