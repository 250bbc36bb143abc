{#- Splits every row of the CTE `to_share` (item_id, unit_id, on_date, amount) among the unit's owners of record on that
    day, by percentage; cents that do not divide go by largest remainder, so the shares always add up to the amount.
    Takes the owners from jobs/owners_of_record.sql; what a unit with an ownership fault owes is not shared.
    Gives the CTE `owner_shares` (item_id, owner_id, percentage, amount). -#}
exact_cents AS (
    -- Dollars times percent are cents.
    SELECT to_share.item_id, to_share.amount, owners_of_record.owner_id, owners_of_record.percentage,
           floor(to_share.amount * owners_of_record.percentage) AS whole_cents,
           to_share.amount * owners_of_record.percentage
               - floor(to_share.amount * owners_of_record.percentage) AS remainder
      FROM to_share
      JOIN owners_of_record
        ON owners_of_record.unit_id = to_share.unit_id
       AND owners_of_record.on_date = to_share.on_date
      LEFT JOIN ownership_faults
        ON ownership_faults.unit_id = to_share.unit_id
       AND ownership_faults.on_date = to_share.on_date
     WHERE ownership_faults.fault IS NULL
),
owner_shares AS (
    SELECT item_id, owner_id, percentage,
           ((whole_cents
             + CASE WHEN row_number() OVER (PARTITION BY item_id ORDER BY remainder DESC, percentage DESC, owner_id)
                         <= amount * 100 - sum(whole_cents) OVER (PARTITION BY item_id)
                    THEN 1 ELSE 0 END) / 100)::numeric(15,2) AS amount
      FROM exact_cents
)
