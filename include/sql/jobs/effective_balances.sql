{#- What every invoice of the association (with `owner_id`: of that owner) leaves open once the money is counted that
    was received by the day `received_by`, and no other. What of it is not applied yet counts against the owner's open
    invoices in the association's order of charge kinds, before any of them is called overdue. Nothing is posted by
    this; applying the payments comes to the same balances.
    They are materialized, so that they are not computed again for every row that they are joined to.
    Gives the CTEs `effective_charges` (invoice_id, charge_kind, balance, effective_balance): what is open of each
    charge kind of an invoice, and what credits leave of it; and `effective_balances`, the sums of that: the columns of
    invoice_balances, of that day, and effective_balance (0: covered by credits). -#}
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
      FROM (SELECT open_now.*
              FROM invoice_balances AS open_now
             WHERE open_now.tenant_id = %(tenant_id)s
               AND open_now.balance > 0
             UNION ALL
            SELECT settled_later.*
              FROM invoice_balances AS settled_later
             WHERE settled_later.tenant_id = %(tenant_id)s
               AND settled_later.invoice_id IN (SELECT invoice_id FROM received_later)
               AND settled_later.balance = 0) AS balances
      LEFT JOIN received_later ON received_later.invoice_id = balances.invoice_id
     WHERE %(owner_id)s::uuid IS NULL OR balances.owner_id = %(owner_id)s
),
{% include 'jobs/open_charges.sql' %},
owed AS (
    SELECT open_invoices.owner_id, open_invoices.invoice_id, open_charges.charge_kind, open_invoices.due_date,
           open_invoices.invoice_date, NULL::bigint AS position, open_invoices.number, open_charges.balance
      FROM open_charges
      JOIN open_invoices ON open_invoices.invoice_id = open_charges.invoice_id
),
{% include 'jobs/owed_in_order.sql' %},
effective_charges AS MATERIALIZED (
    SELECT owed_in_order.invoice_id, owed_in_order.charge_kind, owed_in_order.balance,
           greatest(least(owed_in_order.balance, owed_in_order.owed_through - coalesce(credits.credit, 0)),
                    0.00) AS effective_balance
      FROM owed_in_order
      LEFT JOIN credits ON credits.owner_id = owed_in_order.owner_id
),
effective_balances AS MATERIALIZED (
    SELECT open_invoices.*, of_invoices.effective_balance
      FROM open_invoices
      JOIN (SELECT effective_charges.invoice_id, sum(effective_charges.effective_balance) AS effective_balance
              FROM effective_charges
             GROUP BY effective_charges.invoice_id) AS of_invoices
        ON of_invoices.invoice_id = open_invoices.invoice_id
)
