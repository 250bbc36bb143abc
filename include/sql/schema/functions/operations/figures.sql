-- schema/functions/operations/figures: adds up counts and sums of money by name, such as {"posted": "12"}. They are
-- text, so that no cent goes through a float.
CREATE OR REPLACE FUNCTION add_figures(jsonb, jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce(jsonb_object_agg(added.name, added.figure::text), '{}')
      FROM (SELECT figures.key AS name, coalesce(sum(figures.value::numeric), 0) AS figure
              FROM (SELECT * FROM jsonb_each_text($1) UNION ALL SELECT * FROM jsonb_each_text($2)) AS figures
             GROUP BY figures.key) AS added
$$;

CREATE OR REPLACE AGGREGATE sum_figures(jsonb) (SFUNC = add_figures, STYPE = jsonb, INITCOND = '{}'); -- noqa: CP05,LT01
