-- books/statement_owner: whose account a statement is.
SELECT owners.id AS owner_id, owners.full_name, owners.postal_address,
       (SELECT string_agg(DISTINCT units.unit_number, ', ')
          FROM ownerships
          JOIN units ON units.tenant_id = ownerships.tenant_id AND units.id = ownerships.unit_id
         WHERE ownerships.tenant_id = owners.tenant_id
           AND ownerships.owner_id = owners.id
           AND ownerships.starts_on <= %(as_of)s
           AND (ownerships.ends_on IS NULL OR ownerships.ends_on >= %(as_of)s)) AS unit_numbers
  FROM owners
 WHERE owners.tenant_id = %(tenant_id)s
   AND owners.id = %(owner_id)s
