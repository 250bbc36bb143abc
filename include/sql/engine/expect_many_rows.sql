-- engine/expect_many_rows: keeps PostgreSQL from comparing every row with every other. The queries of a job go through
-- all rows of an association; where statistics are out of date, as after a first load or a bulk post, PostgreSQL
-- expects a few and would go through them in nested loops.
SELECT set_config('enable_nestloop', 'off', true)
