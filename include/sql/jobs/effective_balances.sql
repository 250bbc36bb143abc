{#- What is left of every open invoice of the association (with `owner_id`: of that owner) once credits are counted: an
    owner's unapplied payments count against his open invoices of any kind, oldest due first, before any of them is
    called overdue. Nothing is posted by this; applying the payments comes to the same balances.
    It is materialized, so that it is not computed again for every row that it is joined to.
    Gives the CTE `effective_balances`: the columns of invoice_balances, and effective_balance (0: covered by
    credits). -#}
credits AS (
    SELECT owner_credits.owner_id, sum(owner_credits.unapplied) AS credit
      FROM owner_credits
     WHERE owner_credits.tenant_id = %(tenant_id)s
       AND (%(owner_id)s::uuid IS NULL OR owner_credits.owner_id = %(owner_id)s)
     GROUP BY owner_credits.owner_id
),
effective_balances AS MATERIALIZED (
    SELECT open_invoices.*,
           greatest(least(open_invoices.balance, open_invoices.owed_through - coalesce(credits.credit, 0)),
                    0.00) AS effective_balance
      FROM (SELECT invoice_balances.*,
                   sum(invoice_balances.balance) OVER (
                       PARTITION BY invoice_balances.owner_id
                       ORDER BY invoice_balances.due_date, invoice_balances.invoice_date,
                                length(invoice_balances.number), invoice_balances.number) AS owed_through
              FROM invoice_balances
             WHERE invoice_balances.tenant_id = %(tenant_id)s
               AND (%(owner_id)s::uuid IS NULL OR invoice_balances.owner_id = %(owner_id)s)
               AND invoice_balances.balance > 0) AS open_invoices
      LEFT JOIN credits ON credits.owner_id = open_invoices.owner_id
)
