{#- Splits every row of the CTE `to_share` (item_id, unit_id, on_date, amount) among the unit's owners of record on that
    day, by percentage; cents that do not divide go by largest remainder, so the shares always add up to the amount.
    Gives the CTEs `owner_shares` (item_id, owner_id, percentage, amount) and `ownership_of` (item_id, percentage,
    shares as json): one row per item that has any owner. -#}
owners_of_record AS (
    SELECT to_share.item_id, to_share.amount, ownerships.owner_id, sum(ownerships.percentage) AS percentage
      FROM to_share
      JOIN ownerships
        ON ownerships.tenant_id = %(tenant_id)s
       AND ownerships.unit_id = to_share.unit_id
       AND ownerships.starts_on <= to_share.on_date
       AND (ownerships.ends_on IS NULL OR ownerships.ends_on >= to_share.on_date)
     GROUP BY to_share.item_id, to_share.amount, ownerships.owner_id
),
exact_cents AS (
    -- Dollars times percent are cents.
    SELECT item_id, amount, owner_id, percentage,
           floor(amount * percentage) AS whole_cents,
           amount * percentage - floor(amount * percentage) AS remainder
      FROM owners_of_record
),
owner_shares AS (
    SELECT item_id, owner_id, percentage,
           ((whole_cents
             + CASE WHEN row_number() OVER (PARTITION BY item_id ORDER BY remainder DESC, percentage DESC, owner_id)
                         <= amount * 100 - sum(whole_cents) OVER (PARTITION BY item_id)
                    THEN 1 ELSE 0 END) / 100)::numeric(15,2) AS amount
      FROM exact_cents
),
ownership_of AS (
    SELECT item_id, sum(percentage) AS percentage,
           jsonb_agg(jsonb_build_object('owner_id', owner_id, 'percentage', percentage, 'amount', amount)
                     ORDER BY percentage DESC, owner_id) AS shares
      FROM owner_shares
     GROUP BY item_id
)
