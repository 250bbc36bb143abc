{#- Who is billed what of the charges in the CTEs `charges_due` and `unit_periods`: each charge is split among the
    unit's owners, so that the lines of an owner add up to the invoice, and the lines of all owners to the charge.
    Gives the CTEs `bills` (a row per invoice to post, and one per unit and month that is skipped, with the reason;
    `position` is the order of the invoices' numbers) and `bill_lines` (the lines of the invoices to post). -#}
to_share AS (
    SELECT charges_due.item_id, charges_due.unit_id, charges_due.period AS on_date, charges_due.amount
      FROM charges_due
      JOIN unit_periods ON unit_periods.unit_id = charges_due.unit_id AND unit_periods.period = charges_due.period
     WHERE unit_periods.action IS NULL
       AND charges_due.amount > 0
),
unit_days AS (
    SELECT unit_id, on_date FROM to_share
),
{% include 'jobs/owners_of_record.sql' %},
{% include 'jobs/share_among_owners.sql' %},
owner_amounts AS (
    SELECT to_share.unit_id, to_share.on_date AS period, owner_shares.owner_id, owner_shares.percentage,
           sum(owner_shares.amount) AS amount
      FROM owner_shares
      JOIN to_share ON to_share.item_id = owner_shares.item_id
     GROUP BY to_share.unit_id, to_share.on_date, owner_shares.owner_id, owner_shares.percentage
),
already_billed AS (
    SELECT invoices.unit_id, invoices.period, invoices.owner_id, invoices.number, invoices.amount
      FROM invoices
     WHERE invoices.tenant_id = %(tenant_id)s
       AND invoices.kind = 'assessment'
       AND invoices.status <> 'void'
       AND invoices.period IN (SELECT period FROM periods)
),
billed_wrong AS (
    -- While one invoice of a unit's month is wrong, nothing more is billed for that month.
    SELECT already_billed.unit_id, already_billed.period,
           string_agg(already_billed.number, ', ' ORDER BY natural_order(already_billed.number)) AS numbers,
           string_agg(already_billed.number, ', ' ORDER BY natural_order(already_billed.number))
               FILTER (WHERE owner_amounts.owner_id IS NULL) AS to_others,
           string_agg(already_billed.number || ' is for ' || already_billed.amount || ', and should be for '
                          || owner_amounts.amount, ', ' ORDER BY natural_order(already_billed.number)) AS amounts
      FROM already_billed
      LEFT JOIN owner_amounts
        ON owner_amounts.unit_id = already_billed.unit_id
       AND owner_amounts.period = already_billed.period
       AND owner_amounts.owner_id = already_billed.owner_id
     WHERE already_billed.amount IS DISTINCT FROM owner_amounts.amount
     GROUP BY already_billed.unit_id, already_billed.period
),
bills AS (
    SELECT concat_ws(':', unit_periods.item_id, owner_amounts.owner_id) AS item_id,
           verdict.action, verdict.reason,
           unit_periods.unit_id, unit_periods.unit_number, owner_amounts.owner_id, owner_amounts.percentage,
           unit_periods.period, unit_periods.due_date, unit_periods.closes_period, owner_amounts.amount,
           row_number() OVER (
               ORDER BY unit_periods.period, natural_order(unit_periods.unit_number),
                        owner_amounts.percentage DESC, owner_amounts.owner_id) AS position
      FROM unit_periods
      LEFT JOIN owner_amounts
        ON owner_amounts.unit_id = unit_periods.unit_id
       AND owner_amounts.period = unit_periods.period
      LEFT JOIN ownership_faults
        ON ownership_faults.unit_id = unit_periods.unit_id
       AND ownership_faults.on_date = unit_periods.period
      LEFT JOIN already_billed
        ON already_billed.unit_id = unit_periods.unit_id
       AND already_billed.period = unit_periods.period
       AND already_billed.owner_id = owner_amounts.owner_id
      LEFT JOIN billed_wrong
        ON billed_wrong.unit_id = unit_periods.unit_id
       AND billed_wrong.period = unit_periods.period
     CROSS JOIN association
     CROSS JOIN LATERAL (
           SELECT 'exception', 'billed as ' || billed_wrong.numbers || ', but ' || unit_periods.reason || ': void it'
            WHERE unit_periods.action = 'skip'
              AND billed_wrong.numbers IS NOT NULL
              AND unit_periods.period >= association.first_period
            UNION ALL
           SELECT unit_periods.action, unit_periods.reason
            WHERE unit_periods.action IS NOT NULL
            UNION ALL
           SELECT 'exception', ownership_faults.fault
            WHERE ownership_faults.fault IS NOT NULL
            UNION ALL
           SELECT 'exception', 'the month is already billed to another owner (' || billed_wrong.to_others
                               || '): void what is wrong, then run again'
            WHERE billed_wrong.to_others IS NOT NULL
            UNION ALL
           SELECT 'skip', 'already billed: ' || already_billed.number
            WHERE already_billed.amount = owner_amounts.amount
            UNION ALL
           SELECT 'exception', billed_wrong.amounts || ': void it, then run again'
            WHERE billed_wrong.amounts IS NOT NULL
            UNION ALL
           SELECT 'skip', 'the owner''s share is less than a cent'
            WHERE owner_amounts.amount = 0
            UNION ALL
           SELECT 'post', NULL
            LIMIT 1) AS verdict (action, reason)
),
bill_lines AS (
    SELECT bills.position, charges_due.charge_kind, charges_due.account_id, owner_shares.amount,
           charges_due.description || ', Unit ' || bills.unit_number
               || CASE WHEN bills.percentage < 100 THEN ', ' || trim_scale(bills.percentage) || '%% share'
                       ELSE '' END AS description,
           row_number() OVER (
               PARTITION BY bills.position
               ORDER BY array_position(ARRAY['assessment', 'special_assessment', 'other'], charges_due.charge_kind),
                        natural_order(charges_due.charge_name), charges_due.charge_id) AS line_number
      FROM bills
      JOIN charges_due ON charges_due.unit_id = bills.unit_id AND charges_due.period = bills.period
      JOIN owner_shares ON owner_shares.item_id = charges_due.item_id AND owner_shares.owner_id = bills.owner_id
     WHERE bills.action = 'post'
       AND owner_shares.amount > 0
)
