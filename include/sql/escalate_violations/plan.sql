-- escalate_violations/plan: what escalating an association's violations would do, one row per open violation, with the
-- reason for each that is skipped. The only place where the escalation rules live.
WITH open_violations AS (
    SELECT violations.id AS item_id, violations.violation_number, violations.unit_id, units.unit_number,
           violation_types.name AS violation_type, violations.cure_deadline,
           %(as_of)s::date - violations.cure_deadline AS days_overdue,
           schedule.id AS schedule_id,
           coalesce(latest.step, 0) AS latest_step,
           latest.status AS latest_status,
           coalesce(latest.escalated_on, violations.cure_deadline) AS counts_from
      FROM violations
      JOIN units ON units.tenant_id = violations.tenant_id AND units.id = violations.unit_id
      JOIN violation_types
        ON violation_types.tenant_id = violations.tenant_id AND violation_types.id = violations.violation_type_id
      LEFT JOIN LATERAL (
           SELECT fine_schedules.id
             FROM fine_schedules
            WHERE fine_schedules.tenant_id = violations.tenant_id
              AND (fine_schedules.violation_type_id = violations.violation_type_id
                   OR fine_schedules.violation_type_id IS NULL)
            ORDER BY fine_schedules.violation_type_id NULLS LAST
            LIMIT 1) AS schedule ON true
      LEFT JOIN LATERAL (
           SELECT violation_escalations.step, violation_escalations.status, violation_escalations.escalated_on
             FROM violation_escalations
            WHERE violation_escalations.tenant_id = violations.tenant_id
              AND violation_escalations.violation_id = violations.id
            ORDER BY violation_escalations.step DESC
            LIMIT 1) AS latest ON true
     WHERE violations.tenant_id = %(tenant_id)s
       AND violations.status IN ('open', 'escalated')
),
next_steps AS (
    SELECT open_violations.*,
           days_overdue >= greatest(%(days_grace)s::integer, 1) AS overdue,
           next_step.step, next_step.name AS step_name, next_step.fine AS scheduled_fine,
           next_step.requires_board_approval,
           -- One step a day at most, also for steps without days between them: a second run takes none.
           counts_from + greatest(next_step.days_after_previous, (latest_step > 0)::integer) AS not_before
      FROM open_violations
      LEFT JOIN LATERAL (
           SELECT steps.step, steps.name, steps.fine, steps.days_after_previous, steps.requires_board_approval
             FROM fine_schedule_steps AS steps
            WHERE steps.tenant_id = %(tenant_id)s
              AND steps.schedule_id = open_violations.schedule_id
              AND steps.step > open_violations.latest_step
            ORDER BY steps.step
            LIMIT 1) AS next_step ON true
),
unit_days AS (
    SELECT unit_id, %(as_of)s::date AS on_date FROM next_steps
),
{% include 'jobs/owners_of_record.sql' %},
judged AS (
    SELECT next_steps.*, verdict.action, verdict.reason
      FROM next_steps
      LEFT JOIN ownership_faults ON ownership_faults.unit_id = next_steps.unit_id
     CROSS JOIN LATERAL (
           SELECT 'skip', 'not overdue before ' || cure_deadline + greatest(%(days_grace)s::integer, 1)
            WHERE NOT overdue
            UNION ALL
           SELECT 'skip', 'step ' || latest_step || ' waits for the board''s approval'
            WHERE latest_status = 'pending_approval'
            UNION ALL
           SELECT 'exception', 'the violation type ' || violation_type || ' has no fine schedule, and the association '
                               'has no default one: add either'
            WHERE schedule_id IS NULL
            UNION ALL
           SELECT 'exception', 'its fine schedule ended with step ' || latest_step
                               || ': the board must decide what comes next'
            WHERE step IS NULL
            UNION ALL
           SELECT 'skip', 'step ' || step || ' not before ' || not_before
            WHERE not_before > %(as_of)s
            UNION ALL
           SELECT 'exception', 'step ' || step || ' needs the board''s approval'
            WHERE requires_board_approval
            UNION ALL
           SELECT 'exception', ownership_faults.fault
            WHERE ownership_faults.fault IS NOT NULL
            UNION ALL
           SELECT 'post', NULL
            LIMIT 1) AS verdict (action, reason)
),
fines_so_far AS (
    SELECT judged.item_id,
           coalesce(sum(invoices.amount) FILTER (WHERE escalations.violation_id = judged.item_id), 0) AS of_violation,
           coalesce(sum(invoices.amount) FILTER (
               WHERE date_trunc('year', invoices.invoice_date) = date_trunc('year', %(as_of)s::date)), 0)
               AS of_unit_this_year
      FROM judged
      JOIN invoices
        ON invoices.tenant_id = %(tenant_id)s
       AND invoices.unit_id = judged.unit_id
       AND invoices.kind = 'fine'
       AND invoices.status <> 'void'
      JOIN violation_escalations AS escalations
        ON escalations.tenant_id = invoices.tenant_id
       AND escalations.id = invoices.violation_escalation_id
     WHERE judged.action = 'post'
     GROUP BY judged.item_id
),
caps_left AS (
    -- What the association's caps leave for each violation, and for each unit in this year; null: no cap.
    SELECT judged.*, tenants.fine_cap_per_violation, tenants.fine_cap_per_year, tenants.payment_terms_days,
           CASE WHEN tenants.fine_cap_per_violation IS NOT NULL
                THEN greatest(tenants.fine_cap_per_violation - coalesce(fines_so_far.of_violation, 0), 0)
           END AS violation_cap_left,
           CASE WHEN tenants.fine_cap_per_year IS NOT NULL
                THEN greatest(tenants.fine_cap_per_year - coalesce(fines_so_far.of_unit_this_year, 0), 0)
           END AS year_cap_left
      FROM judged
      JOIN tenants ON tenants.id = %(tenant_id)s
      LEFT JOIN fines_so_far ON fines_so_far.item_id = judged.item_id
),
capped_per_violation AS (
    -- Violations of one unit draw on what the year leaves in the order of their numbers. least() ignores a null.
    SELECT caps_left.*, bounded.violation_fine,
           sum(bounded.violation_fine) FILTER (WHERE caps_left.action = 'post')
               OVER (PARTITION BY caps_left.unit_id ORDER BY natural_order(caps_left.violation_number)) AS unit_fines
      FROM caps_left
     CROSS JOIN LATERAL (VALUES (least(caps_left.scheduled_fine, caps_left.violation_cap_left)))
        AS bounded (violation_fine)
),
capped AS (
    SELECT capped_per_violation.*,
           CASE WHEN action = 'post'
                THEN least(unit_fines, year_cap_left) - least(unit_fines - violation_fine, year_cap_left) END AS fine
      FROM capped_per_violation
),
to_share AS (
    SELECT item_id, unit_id, %(as_of)s::date AS on_date, fine AS amount
      FROM capped
     WHERE action = 'post'
),
{% include 'jobs/share_among_owners.sql' %},
fine_shares AS (
    SELECT item_id,
           jsonb_agg(jsonb_build_object('owner_id', owner_id, 'percentage', percentage, 'amount', amount)
                     ORDER BY percentage DESC, owner_id) AS shares
      FROM owner_shares
     GROUP BY item_id
),
{% include 'jobs/posting_accounts.sql' %}
SELECT capped.item_id, capped.action, capped.reason, capped.violation_number, capped.unit_id, capped.unit_number,
       capped.overdue, capped.days_overdue, capped.step, capped.step_name, capped.scheduled_fine, capped.fine,
       CASE WHEN capped.fine < capped.violation_fine THEN 'cap per year of $' || capped.fine_cap_per_year
            WHEN capped.fine < capped.scheduled_fine THEN 'cap per violation of $' || capped.fine_cap_per_violation
       END AS capped_by,
       CASE WHEN capped.fine > 0 THEN %(as_of)s::date + capped.payment_terms_days END AS due_date,
       CASE WHEN capped.fine > 0 THEN
           (SELECT posting_account(%(tenant_id)s, number, name) FROM posting_accounts WHERE purpose = 'receivables')
       END AS receivable_account_id,
       CASE WHEN capped.fine > 0 THEN
           (SELECT posting_account(%(tenant_id)s, number, name) FROM posting_accounts WHERE purpose = 'fines')
       END AS revenue_account_id,
       fine_shares.shares
  FROM capped
  LEFT JOIN fine_shares ON fine_shares.item_id = capped.item_id
 ORDER BY natural_order(capped.violation_number)
