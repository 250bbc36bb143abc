{#- What every invoice of the association (with `owner_id`: of that owner) leaves open once the money is counted that
    was received by the day `received_by`, and no other. What of it is not applied yet counts against the owner's open
    invoices of any kind, oldest due first, before any of them is called overdue. Nothing is posted by this; applying
    the payments comes to the same balances.
    It is materialized, so that it is not computed again for every row that it is joined to.
    Gives the CTE `effective_balances`: the columns of invoice_balances, of that day, and effective_balance (0: covered
    by credits). -#}
credits AS (
    SELECT owner_credits.owner_id, sum(owner_credits.unapplied) AS credit
      FROM owner_credits
     WHERE owner_credits.tenant_id = %(tenant_id)s
       AND (%(owner_id)s::uuid IS NULL OR owner_credits.owner_id = %(owner_id)s)
       AND owner_credits.received_on <= %(received_by)s
     GROUP BY owner_credits.owner_id
),
received_later AS (
    SELECT applications.invoice_id, sum(applications.amount) AS amount
      FROM payments
      JOIN payment_applications AS applications
        ON applications.tenant_id = payments.tenant_id
       AND applications.payment_id = payments.id
     WHERE payments.tenant_id = %(tenant_id)s
       AND payments.received_on > %(received_by)s
       AND applications.reversal_entry_id IS NULL
     GROUP BY applications.invoice_id
),
open_invoices AS (
    SELECT balances.tenant_id, balances.invoice_id, balances.number, balances.kind, balances.unit_id, balances.owner_id,
           balances.invoice_date, balances.due_date, balances.amount,
           balances.balance + coalesce(received_later.amount, 0) AS balance
      FROM invoice_balances AS balances
      LEFT JOIN received_later ON received_later.invoice_id = balances.invoice_id
     WHERE balances.tenant_id = %(tenant_id)s
       AND (%(owner_id)s::uuid IS NULL OR balances.owner_id = %(owner_id)s)
       AND balances.balance + coalesce(received_later.amount, 0) > 0
),
effective_balances AS MATERIALIZED (
    SELECT owed_in_order.*,
           greatest(least(owed_in_order.balance, owed_in_order.owed_through - coalesce(credits.credit, 0)),
                    0.00) AS effective_balance
      FROM (SELECT open_invoices.*,
                   sum(open_invoices.balance) OVER (
                       PARTITION BY open_invoices.owner_id
                       ORDER BY open_invoices.due_date, open_invoices.invoice_date,
                                natural_order(open_invoices.number)) AS owed_through
              FROM open_invoices) AS owed_in_order
      LEFT JOIN credits ON credits.owner_id = owed_in_order.owner_id
)
