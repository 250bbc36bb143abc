-- engine/plan_for_many_rows: a job's statements go through all rows of an association. Where statistics are not up to
-- date, as after a first load or a bulk post, PostgreSQL takes them for a few and compares each with each in nested
-- loops.
SELECT set_config('enable_nestloop', 'off', true)
