{#- The owners of the association (with `owner_id`: that owner) who are exempt on the day, with the reason in words: the
    kind of hold and its last day. The free text of a hold may be personal and stays out of plans and logs.
    Gives the CTE `holds_in_force` (owner_id, exemption): one row per owner; of several holds the one that ends
    last. -#}
holds_in_force AS (
    SELECT DISTINCT ON (holds.owner_id) holds.owner_id,
           'exempt, ' || CASE holds.kind WHEN 'other' THEN 'hold' ELSE replace(holds.kind, '_', ' ') END
               || ' until ' || holds.ends_on AS exemption
      FROM holds
     WHERE holds.tenant_id = %(tenant_id)s
       AND (%(owner_id)s::uuid IS NULL OR holds.owner_id = %(owner_id)s)
       AND %(as_of)s BETWEEN holds.starts_on AND holds.ends_on
     ORDER BY holds.owner_id, holds.ends_on DESC, holds.kind
)
