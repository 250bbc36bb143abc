{#- What every unit is charged for each month of the CTE `periods`, at what is in force on the 1st of that month.
    Gives the CTEs `charges_due` (a row per charge and month: item_id, unit_id, period, charge_kind, description, amount,
    account_id) and `unit_periods` (a row per unit and month; action and reason where it is not billed). -#}
statuses AS (
    SELECT DISTINCT ON (unit_statuses.unit_id, periods.period)
           unit_statuses.unit_id, periods.period, unit_statuses.status
      FROM unit_statuses
      JOIN periods ON periods.period >= unit_statuses.starts_on
     WHERE unit_statuses.tenant_id = %(tenant_id)s
     ORDER BY unit_statuses.unit_id, periods.period, unit_statuses.starts_on DESC
),
charges_in_force AS (
    -- turn: which time it is billed, counted from 0. A charge that begins within a month begins with the next one.
    SELECT charges.id AS charge_id, charges.unit_id, charges.charge_kind, charges.description, charges.amount,
           charges.account_id, charges.installments, periods.period, cycle.months,
           cycle.elapsed / cycle.months AS turn, cycle.elapsed %% cycle.months = 0 AS is_due
      FROM recurring_charges AS charges
      JOIN periods
        ON periods.period >= charges.starts_on
       AND (charges.ends_on IS NULL OR periods.period <= charges.ends_on)
     CROSS JOIN LATERAL (
           SELECT date_trunc('month', charges.starts_on - 1) + interval '1 month' AS month) AS first
     CROSS JOIN LATERAL (
           SELECT ((extract(YEAR FROM periods.period) - extract(YEAR FROM first.month)) * 12
                   + extract(MONTH FROM periods.period) - extract(MONTH FROM first.month))::integer AS elapsed,
                  CASE charges.frequency WHEN 'monthly' THEN 1
                                         WHEN 'quarterly' THEN 3
                                         WHEN 'semiannual' THEN 6
                                         WHEN 'yearly' THEN 12 END AS months) AS cycle
     WHERE charges.tenant_id = %(tenant_id)s
       AND (charges.installments IS NULL OR cycle.elapsed / cycle.months < charges.installments)
),
charges_due AS (
    SELECT concat_ws(':', charge_id, period) AS item_id, charge_id, unit_id, period, charge_kind, amount, account_id,
           description AS charge_name,
           description || ' ' || to_char(period, 'FMMonth YYYY')
               || CASE WHEN months > 1 AND installments IS NULL
                       THEN to_char(period + (months - 1) * interval '1 month', '" to "FMMonth YYYY') ELSE '' END
               || coalesce(', installment ' || turn + 1 || ' of ' || installments, '') AS description
      FROM charges_in_force
     WHERE is_due
),
unit_charges AS (
    SELECT unit_id, period, count(*) AS charges, sum(amount) AS amount, min(charge_name) AS charge_name,
           string_agg('its ' || lower(charge_name) || ' is negative: ' || amount, ', ' ORDER BY charge_name)
               FILTER (WHERE amount < 0) AS negative
      FROM charges_due
     GROUP BY unit_id, period
),
double_charges AS (
    SELECT unit_id, period,
           string_agg('its ' || lower(description) || ' has ' || rows || ' amounts in force on ' || period, ', '
                      ORDER BY description) AS fault
      FROM (SELECT unit_id, period, description, count(*) AS rows
              FROM charges_in_force
             GROUP BY unit_id, period, charge_kind, description
            HAVING count(*) > 1) AS repeated
     GROUP BY unit_id, period
),
unit_periods AS (
    SELECT concat_ws(':', units.id, periods.period) AS item_id,
           units.id AS unit_id, units.unit_number, periods.period,
           greatest(periods.period, %(as_of)s::date) + association.payment_terms_days AS due_date,
           -- A month before the first one on record stays off the record: it would make a gap of all months between.
           periods.period >= association.first_period AS closes_period,
           verdict.action, verdict.reason
      FROM units
     CROSS JOIN association
     CROSS JOIN periods
      LEFT JOIN statuses ON statuses.unit_id = units.id AND statuses.period = periods.period
      LEFT JOIN (SELECT unit_statuses.unit_id, min(unit_statuses.starts_on) AS starts_on
                   FROM unit_statuses
                  WHERE unit_statuses.tenant_id = %(tenant_id)s
                  GROUP BY unit_statuses.unit_id) AS first_status ON first_status.unit_id = units.id
      LEFT JOIN (SELECT DISTINCT recurring_charges.unit_id
                   FROM recurring_charges
                  WHERE recurring_charges.tenant_id = %(tenant_id)s) AS charged ON charged.unit_id = units.id
      LEFT JOIN unit_charges ON unit_charges.unit_id = units.id AND unit_charges.period = periods.period
      LEFT JOIN double_charges ON double_charges.unit_id = units.id AND double_charges.period = periods.period
      LEFT JOIN LATERAL (
           SELECT 'skip', 'billing starts in ' || to_char(association.billing_start, 'FMMonth YYYY')
            WHERE periods.period < association.billing_start
            UNION ALL
           SELECT 'exception', 'the unit has no status: add its first one to unit_statuses'
            WHERE first_status.starts_on IS NULL
            UNION ALL
           SELECT 'skip', 'the unit''s first status is as of ' || first_status.starts_on
            WHERE statuses.status IS NULL
            UNION ALL
           SELECT 'skip', 'the unit is ' || statuses.status
            WHERE statuses.status = 'exempt' OR statuses.status = 'vacant' AND NOT association.bills_vacant_units
            UNION ALL
           SELECT 'exception', 'the unit has no charges: add them to recurring_charges, or make the unit exempt'
            WHERE charged.unit_id IS NULL
            UNION ALL
           SELECT 'exception', double_charges.fault || ': end all but one'
            WHERE double_charges.fault IS NOT NULL
            UNION ALL
           SELECT 'exception', unit_charges.negative
            WHERE unit_charges.negative IS NOT NULL
            UNION ALL
           SELECT 'skip', 'nothing is charged in ' || to_char(periods.period, 'FMMonth YYYY')
            WHERE unit_charges.charges IS NULL
            UNION ALL
           SELECT 'skip', CASE unit_charges.charges WHEN 1 THEN 'its ' || lower(unit_charges.charge_name) || ' is zero'
                                                    ELSE 'its charges are zero' END
            WHERE unit_charges.amount = 0
            LIMIT 1) AS verdict (action, reason) ON true
     WHERE units.tenant_id = %(tenant_id)s
)
