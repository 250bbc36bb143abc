-- generate_invoices/plan: what billing an association's monthly assessments would do, one row per invoice, and one per
-- unit and month that is left alone with the reason. The only place where the billing rules live.
WITH association AS (
    SELECT tenants.payment_terms_days, tenants.bills_vacant_units,
           date_trunc('month', %(as_of)s::date)::date AS current_period,
           date_trunc('month', tenants.billing_starts_on)::date AS first_period,
           (SELECT min(billed_periods.period)
              FROM billed_periods
             WHERE billed_periods.tenant_id = tenants.id) AS first_billed
      FROM tenants
     WHERE tenants.id = %(tenant_id)s
),
months AS (
    -- From the first month that was ever billed here to the current one, so a new association starts with the current.
    SELECT month::date AS period,
           NOT EXISTS (
               SELECT FROM billed_periods
                WHERE billed_periods.tenant_id = %(tenant_id)s
                  AND billed_periods.period = month::date) AS missing
      FROM association
     CROSS JOIN LATERAL generate_series(
           least(first_billed, current_period)::timestamp, current_period::timestamp, '1 month') AS month
     WHERE month >= coalesce(first_period, month)
        OR month = current_period
),
periods AS (
    -- The current month is looked at again after it was billed: what was mended since is billed now.
    SELECT months.period
      FROM months
      JOIN association ON association.current_period = months.period OR months.missing
     WHERE %(billing_period)s::date IS NULL
       AND CASE WHEN (SELECT count(*) FROM months AS unbilled WHERE unbilled.missing) <= 12 THEN true
                ELSE (SELECT refuse(format(
                         '%%s months are not billed (%%s to %%s), too many to catch up unasked: bill each one that is '
                         'wanted with billing_month, or set tenants.billing_starts_on to the month to start again from',
                         count(*), to_char(min(unbilled.period), 'YYYY-MM'), to_char(max(unbilled.period), 'YYYY-MM')))
                        FROM months AS unbilled WHERE unbilled.missing)
           END
     UNION ALL
    SELECT %(billing_period)s::date
     WHERE %(billing_period)s::date IS NOT NULL
),
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
           SELECT 'leave', 'billing starts in ' || to_char(first_period, 'FMMonth YYYY')
            WHERE periods.period < first_period
            UNION ALL
           SELECT 'leave', 'the unit is ' || units.status
            WHERE units.status = 'exempt' OR units.status = 'vacant' AND NOT bills_vacant_units
            UNION ALL
           SELECT 'leave', 'its assessment is zero'
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
{% include 'jobs/ownership_shares.sql' %},
billed AS (
    SELECT invoices.unit_id, invoices.period, invoices.owner_id, invoices.number, invoices.amount
      FROM invoices
     WHERE invoices.tenant_id = %(tenant_id)s
       AND invoices.kind = 'assessment'
       AND invoices.status <> 'void'
       AND invoices.period IN (SELECT period FROM periods)
),
billed_in_all AS (
    SELECT unit_id, period, sum(amount) AS amount, string_agg(number, ', ' ORDER BY number) AS numbers
      FROM billed
     GROUP BY unit_id, period
),
shares AS (
    SELECT unit_periods.item_id, unit_periods.unit_id, unit_periods.unit_number, unit_periods.monthly_assessment,
           unit_periods.period, unit_periods.due_date, unit_periods.closes_period,
           unit_periods.action, unit_periods.reason,
           ownership_of.percentage AS owned_percentage,
           share.owner_id, share.percentage, share.amount,
           billed.number AS billed_number,
           billed_in_all.numbers AS numbers_in_all,
           billed_in_all.amount + sum(share.amount) FILTER (WHERE billed.number IS NULL)
               OVER (PARTITION BY unit_periods.item_id) AS would_be_billed
      FROM unit_periods
      LEFT JOIN ownership_of ON ownership_of.item_id = unit_periods.item_id
      LEFT JOIN owner_shares AS share
        ON share.item_id = unit_periods.item_id
       AND ownership_of.percentage = 100
      LEFT JOIN billed
        ON billed.unit_id = unit_periods.unit_id
       AND billed.period = unit_periods.period
       AND billed.owner_id = share.owner_id
      LEFT JOIN billed_in_all
        ON billed_in_all.unit_id = unit_periods.unit_id
       AND billed_in_all.period = unit_periods.period
),
judged AS (
    SELECT concat_ws(':', shares.item_id, shares.owner_id) AS item_id,
           shares.unit_id, shares.unit_number, shares.owner_id, shares.percentage, shares.period, shares.due_date,
           shares.closes_period, shares.amount, verdict.action, verdict.reason,
           row_number() OVER (
               ORDER BY shares.period, shares.unit_number, shares.percentage DESC, shares.owner_id) AS position
      FROM shares
     CROSS JOIN LATERAL (
           SELECT shares.action, shares.reason
            WHERE shares.action IS NOT NULL
            UNION ALL
           SELECT 'exception', 'the unit has no owner of record on ' || period
            WHERE owned_percentage IS NULL
            UNION ALL
           SELECT 'exception', 'the unit''s ownership shares add up to ' || trim_scale(owned_percentage)
                               || ' %%, not 100 %%'
            WHERE owned_percentage <> 100
            UNION ALL
           SELECT 'leave', 'already billed: ' || billed_number
            WHERE billed_number IS NOT NULL
            UNION ALL
           SELECT 'leave', 'the owner''s share is less than a cent'
            WHERE amount = 0
            UNION ALL
           SELECT 'exception', 'the month is already billed to another owner (' || numbers_in_all
                               || '): void what is wrong, then run again'
            WHERE would_be_billed > monthly_assessment
            UNION ALL
           SELECT 'post', NULL
            LIMIT 1) AS verdict (action, reason)
),
credits AS (
    -- What every owner who is billed now has paid ahead, oldest payment first, as a running total.
    SELECT owner_credits.owner_id, owner_credits.payment_id, owner_credits.unapplied,
           sum(owner_credits.unapplied) OVER (
               PARTITION BY owner_credits.owner_id
               ORDER BY owner_credits.received_on, owner_credits.payment_id) AS through
      FROM owner_credits
     WHERE owner_credits.tenant_id = %(tenant_id)s
       AND owner_credits.received_on <= %(as_of)s
       AND owner_credits.owner_id IN (SELECT owner_id FROM judged WHERE action = 'post')
),
open_invoices AS (
    SELECT judged.owner_id, judged.position, NULL::uuid AS invoice_id, NULL AS number,
           judged.due_date, judged.period AS invoice_date, judged.amount AS balance
      FROM judged
     WHERE judged.action = 'post'
       AND judged.owner_id IN (SELECT owner_id FROM credits)
     UNION ALL
    SELECT balances.owner_id, NULL, balances.invoice_id, balances.number,
           balances.due_date, balances.invoice_date, balances.balance
      FROM invoice_balances AS balances
     WHERE balances.tenant_id = %(tenant_id)s
       AND balances.invoice_date <= %(as_of)s
       AND balances.balance > 0
       AND balances.owner_id IN (SELECT owner_id FROM credits)
),
due_in_turn AS (
    -- What every such owner owes, oldest due first, as a running total.
    SELECT open_invoices.*,
           sum(balance) OVER (
               PARTITION BY owner_id
               ORDER BY due_date, invoice_date, position NULLS FIRST, length(number), number) AS through
      FROM open_invoices
),
applications AS (
    -- Laid side by side, the two running totals overlap where a payment covers an invoice.
    SELECT due_in_turn.owner_id, due_in_turn.position, due_in_turn.invoice_id, due_in_turn.number, credits.payment_id,
           least(due_in_turn.through, credits.through)
               - greatest(due_in_turn.through - due_in_turn.balance, credits.through - credits.unapplied) AS amount,
           credits.through AS turn
      FROM due_in_turn
      JOIN credits
        ON credits.owner_id = due_in_turn.owner_id
       AND credits.through > due_in_turn.through - due_in_turn.balance
       AND credits.through - credits.unapplied < due_in_turn.through
),
credited AS (
    -- What goes to an owner's earlier invoices is told with the first of the new ones.
    SELECT coalesce(applications.position, first_new.position) AS position,
           sum(applications.amount) FILTER (WHERE applications.invoice_id IS NULL) AS to_this_invoice,
           sum(applications.amount) FILTER (WHERE applications.invoice_id IS NOT NULL) AS to_earlier_invoices,
           string_agg(DISTINCT applications.number, ', ') AS earlier_numbers,
           jsonb_agg(jsonb_build_object('payment_id', applications.payment_id, 'invoice_id', applications.invoice_id,
                                        'invoice_number', applications.number, 'amount', applications.amount)
                     ORDER BY applications.position NULLS FIRST, applications.turn) AS applications
      FROM applications
      JOIN (SELECT owner_id, min(position) AS position
              FROM judged
             WHERE action = 'post'
             GROUP BY owner_id) AS first_new ON first_new.owner_id = applications.owner_id
     GROUP BY coalesce(applications.position, first_new.position)
)
SELECT judged.item_id, judged.action, judged.reason, judged.unit_id, judged.unit_number, judged.owner_id,
       judged.percentage, judged.period, judged.due_date, judged.closes_period, judged.amount,
       coalesce(credited.to_this_invoice, 0) AS credit_applied,
       judged.amount - coalesce(credited.to_this_invoice, 0) AS balance_due,
       coalesce(credited.to_earlier_invoices, 0) AS credit_to_earlier,
       credited.earlier_numbers, credited.applications,
       CASE WHEN judged.action = 'post' THEN
           (SELECT posting_account(%(tenant_id)s, '1200', 'accounts receivable')) END AS receivable_account_id,
       CASE WHEN judged.action = 'post' THEN
           (SELECT posting_account(%(tenant_id)s, '4100', 'assessment revenue')) END AS revenue_account_id,
       CASE WHEN credited.applications IS NOT NULL THEN
           (SELECT posting_account(%(tenant_id)s, '2200', 'owner prepayments')) END AS prepayments_account_id
  FROM judged
  LEFT JOIN credited ON credited.position = judged.position
 ORDER BY judged.position
