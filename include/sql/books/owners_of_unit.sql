-- books/owners_of_unit: the owners of record of a unit on a day, the largest share first; one row without an owner
-- where there is none.
WITH unit_days AS (
    SELECT units.id AS unit_id, %(as_of)s::date AS on_date
      FROM units
     WHERE units.tenant_id = %(tenant_id)s
       AND units.unit_number = %(unit_number)s
),
{% include 'jobs/owners_of_record.sql' %}
SELECT owners_of_record.owner_id
  FROM unit_days
  LEFT JOIN owners_of_record ON owners_of_record.unit_id = unit_days.unit_id
 ORDER BY owners_of_record.percentage DESC, owners_of_record.owner_id
