{#- The months that a run bills: the one asked for, or the current one and every earlier one that is not billed yet.
    Gives the CTEs `association` (its settings for billing) and `periods` (period: first day of the month). -#}
first_months AS (
    -- What a run failed to bill was to be billed: the first month is known from then on.
    SELECT (SELECT min(billed_periods.period)
              FROM billed_periods
             WHERE billed_periods.tenant_id = %(tenant_id)s) AS billed,
           (SELECT date_trunc('month', min(runs.as_of))::date
              FROM run_tenants
              JOIN runs ON runs.id = run_tenants.run_id
             WHERE run_tenants.tenant_id = %(tenant_id)s
               AND run_tenants.status = 'failed'
               AND runs.job = 'generate_invoices'
               AND runs.mode = 'live') AS failed
),
association AS (
    SELECT settings.payment_terms_days, settings.bills_vacant_units, settings.current_period, settings.billing_start,
           coalesce(settings.billing_start, least(first_months.billed, first_months.failed),
                    settings.current_period) AS first_period
      FROM (SELECT tenants.payment_terms_days, tenants.bills_vacant_units,
                   date_trunc('month', %(as_of)s::date)::date AS current_period,
                   date_trunc('month', tenants.billing_starts_on)::date AS billing_start
              FROM tenants
             WHERE tenants.id = %(tenant_id)s) AS settings
     CROSS JOIN first_months
),
months AS (
    SELECT month::date AS period,
           NOT EXISTS (
               SELECT FROM billed_periods
                WHERE billed_periods.tenant_id = %(tenant_id)s
                  AND billed_periods.period = month::date) AS unbilled
      FROM association
     CROSS JOIN LATERAL generate_series(
           least(first_period, current_period)::timestamp, current_period::timestamp, '1 month') AS month
),
backlog AS (
    SELECT count(*) AS months, min(period) AS oldest, max(period) AS newest
      FROM months
     WHERE unbilled
),
periods AS (
    -- The current month is looked at again after it was billed: what was corrected since is billed or named now.
    SELECT months.period
      FROM months
      JOIN association ON association.current_period = months.period OR months.unbilled
     CROSS JOIN backlog
     WHERE %(billing_period)s::date IS NULL
       AND CASE WHEN backlog.months <= 12 THEN true
                ELSE refuse(format(
                    '%%s months are not billed (%%s to %%s), too many to catch up unasked: bill each one that is '
                    'wanted with billing_month, or set tenants.billing_starts_on to the month to start again from',
                    backlog.months, to_char(backlog.oldest, 'YYYY-MM'), to_char(backlog.newest, 'YYYY-MM'))) END
     UNION ALL
    SELECT %(billing_period)s::date
     WHERE %(billing_period)s::date IS NOT NULL
)
