-- books/statement_owner: whose account a statement is.
WITH unit_days AS (
    SELECT units.id AS unit_id, %(as_of)s::date AS on_date
      FROM units
     WHERE units.tenant_id = %(tenant_id)s
),
{% include 'jobs/owners_of_record.sql' %}
SELECT owners.id AS owner_id, owners.full_name, owners.postal_address,
       (SELECT string_agg(units.unit_number, ', ' ORDER BY natural_order(units.unit_number))
          FROM owners_of_record
          JOIN units ON units.tenant_id = %(tenant_id)s AND units.id = owners_of_record.unit_id
         WHERE owners_of_record.owner_id = owners.id) AS unit_numbers
  FROM owners
 WHERE owners.tenant_id = %(tenant_id)s
   AND owners.id = %(owner_id)s
