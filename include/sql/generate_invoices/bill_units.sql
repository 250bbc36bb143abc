{#- What every unit is billed for each of the CTE `periods`, split among its owners.
    Gives the CTE `bills`: a row per invoice to post, and one per unit and month that is skipped, with the reason.
    `position` is the order of the invoices' numbers. -#}
unit_periods AS (
    SELECT concat_ws(':', units.id, periods.period) AS item_id,
           units.id AS unit_id, units.unit_number, units.monthly_assessment,
           periods.period, periods.period + association.payment_terms_days AS due_date,
           -- A month before the first one on record stays off the record: it would make a gap of all months between.
           periods.period >= greatest(coalesce(first_billed, current_period), first_period) AS closes_period,
           verdict.action, verdict.reason
      FROM units
     CROSS JOIN association
     CROSS JOIN periods
      LEFT JOIN LATERAL (
           SELECT 'skip', 'billing starts in ' || to_char(first_period, 'FMMonth YYYY')
            WHERE periods.period < first_period
            UNION ALL
           SELECT 'skip', 'the unit is ' || units.status
            WHERE units.status = 'exempt' OR units.status = 'vacant' AND NOT bills_vacant_units
            UNION ALL
           SELECT 'skip', 'its assessment is zero'
            WHERE units.monthly_assessment = 0
            UNION ALL
           SELECT 'exception', 'its assessment is negative: ' || units.monthly_assessment
            WHERE units.monthly_assessment < 0
            LIMIT 1) AS verdict (action, reason) ON true
     WHERE units.tenant_id = %(tenant_id)s
),
to_share AS (
    SELECT item_id, unit_id, period AS on_date, monthly_assessment AS amount
      FROM unit_periods
     WHERE action IS NULL
),
unit_days AS (
    SELECT unit_id, on_date FROM to_share
),
{% include 'jobs/owners_of_record.sql' %},
{% include 'jobs/share_among_owners.sql' %},
already_billed AS (
    SELECT invoices.unit_id, invoices.period, invoices.owner_id, invoices.number, invoices.amount
      FROM invoices
     WHERE invoices.tenant_id = %(tenant_id)s
       AND invoices.kind = 'assessment'
       AND invoices.status <> 'void'
       AND invoices.period IN (SELECT period FROM periods)
),
already_billed_to_all AS (
    SELECT unit_id, period, sum(amount) AS amount, string_agg(number, ', ' ORDER BY natural_order(number)) AS numbers
      FROM already_billed
     GROUP BY unit_id, period
),
owner_periods AS (
    SELECT unit_periods.*, owner_shares.owner_id, owner_shares.percentage, owner_shares.amount,
           ownership_faults.fault AS ownership_fault,
           already_billed.number AS billed_as,
           already_billed_to_all.numbers AS billed_to_all_as,
           already_billed_to_all.amount + sum(owner_shares.amount) FILTER (WHERE already_billed.number IS NULL)
               OVER (PARTITION BY unit_periods.item_id) AS would_be_billed
      FROM unit_periods
      LEFT JOIN owner_shares ON owner_shares.item_id = unit_periods.item_id
      LEFT JOIN ownership_faults
        ON ownership_faults.unit_id = unit_periods.unit_id
       AND ownership_faults.on_date = unit_periods.period
      LEFT JOIN already_billed
        ON already_billed.unit_id = unit_periods.unit_id
       AND already_billed.period = unit_periods.period
       AND already_billed.owner_id = owner_shares.owner_id
      LEFT JOIN already_billed_to_all
        ON already_billed_to_all.unit_id = unit_periods.unit_id
       AND already_billed_to_all.period = unit_periods.period
),
bills AS (
    SELECT concat_ws(':', owner_periods.item_id, owner_periods.owner_id) AS item_id,
           verdict.action, verdict.reason,
           owner_periods.unit_id, owner_periods.unit_number, owner_periods.owner_id, owner_periods.percentage,
           owner_periods.period, owner_periods.due_date, owner_periods.closes_period, owner_periods.amount,
           row_number() OVER (
               ORDER BY owner_periods.period, natural_order(owner_periods.unit_number),
                        owner_periods.percentage DESC, owner_periods.owner_id) AS position
      FROM owner_periods
     CROSS JOIN LATERAL (
           SELECT owner_periods.action, owner_periods.reason
            WHERE owner_periods.action IS NOT NULL
            UNION ALL
           SELECT 'exception', ownership_fault
            WHERE ownership_fault IS NOT NULL
            UNION ALL
           SELECT 'skip', 'already billed: ' || billed_as
            WHERE billed_as IS NOT NULL
            UNION ALL
           SELECT 'skip', 'the owner''s share is less than a cent'
            WHERE amount = 0
            UNION ALL
           SELECT 'exception', 'the month is already billed to another owner (' || billed_to_all_as
                               || '): void what is wrong, then run again'
            WHERE would_be_billed > monthly_assessment
            UNION ALL
           SELECT 'post', NULL
            LIMIT 1) AS verdict (action, reason)
)
