-- schema/functions/operations/natural_order: puts labels in the order that people expect: unit 2 before unit 10, V-9
-- before V-10. Each number within the text is written with twenty digits; the label itself decides between V-9 and
-- V-09.
CREATE OR REPLACE FUNCTION natural_order(label text) RETURNS text[]
LANGUAGE sql IMMUTABLE AS $$
    SELECT ARRAY[regexp_replace(regexp_replace(label, '(\d+)', repeat('0', 20) || '\1', 'g'), '\d*(\d{20})', '\1', 'g'),
                 label]
$$;
COMMENT ON FUNCTION natural_order IS 'For ORDER BY: numbers within the label count as numbers.';
