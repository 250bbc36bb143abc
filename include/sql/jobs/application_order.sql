{#- The association's order of charge kinds in force on the day `received_by`: what a payment settles first. An
    association that says nothing settles assessments of either kind first, and fines last.
    Gives the CTE `application_order` (charge_kind, rank): kinds of one rank are settled oldest due first. -#}
application_order AS (
    SELECT ranked.charge_kind, ranked.rank
      FROM (SELECT 1 AS assessment, 1 AS special_assessment, 2 AS other, 3 AS interest, 4 AS late_fee, 5 AS fine,
                   NULL::date AS effective_from
             UNION ALL
            SELECT orders.assessment, orders.special_assessment, orders.other, orders.interest, orders.late_fee,
                   orders.fine, orders.effective_from
              FROM application_orders AS orders
             WHERE orders.tenant_id = %(tenant_id)s
               AND orders.effective_from <= %(received_by)s
             ORDER BY effective_from DESC NULLS LAST
             LIMIT 1) AS in_force
     CROSS JOIN LATERAL (
           VALUES ('assessment', in_force.assessment), ('special_assessment', in_force.special_assessment),
                  ('other', in_force.other), ('interest', in_force.interest), ('late_fee', in_force.late_fee),
                  ('fine', in_force.fine)) AS ranked (charge_kind, rank)
)
