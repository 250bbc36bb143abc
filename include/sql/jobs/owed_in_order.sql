{#- The order in which an owner's payments settle the CTE `owed` (owner_id, charge_kind, due_date, invoice_date,
    position, number, balance): by the rank of the charge kind, then the oldest due first. What is not posted yet has a
    position in place of a number, and comes after what is.
    Takes the CTE `application_order`. Gives the CTE `owed_in_order`: the columns of `owed`, and owed_through, what this
    and everything before it leave open together. -#}
owed_in_order AS (
    SELECT owed.*,
           sum(owed.balance) OVER (
               PARTITION BY owed.owner_id
               ORDER BY application_order.rank, owed.due_date, owed.invoice_date, owed.position NULLS FIRST,
                        natural_order(owed.number), owed.charge_kind) AS owed_through
      FROM owed
      JOIN application_order ON application_order.charge_kind = owed.charge_kind
)
