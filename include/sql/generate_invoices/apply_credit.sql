{#- How what the owners in the CTEs `bills` and `bill_lines` have paid ahead is applied: oldest payment first, to what
    they owe, old and new, in the association's order of charge kinds.
    Gives the CTE `credited`: a row per invoice to post (`position`) that credit is applied to, with the applications as
    JSON. What goes to an owner's earlier invoices is told with the first of the new ones. -#}
credits AS (
    -- credit_through: what this payment and the older ones leave, together.
    SELECT owner_credits.owner_id, owner_credits.payment_id, owner_credits.unapplied,
           sum(owner_credits.unapplied) OVER (
               PARTITION BY owner_credits.owner_id
               ORDER BY owner_credits.received_on, owner_credits.payment_id) AS credit_through
      FROM owner_credits
     WHERE owner_credits.tenant_id = %(tenant_id)s
       AND owner_credits.received_on <= %(as_of)s
       AND owner_credits.owner_id IN (SELECT owner_id FROM bills WHERE action = 'post')
),
open_invoices AS (
    SELECT balances.owner_id, balances.invoice_id, balances.number, balances.due_date, balances.invoice_date,
           balances.balance
      FROM invoice_balances AS balances
     WHERE balances.tenant_id = %(tenant_id)s
       AND balances.invoice_date <= %(as_of)s
       AND balances.balance > 0
       AND balances.owner_id IN (SELECT owner_id FROM credits)
),
{% include 'jobs/open_charges.sql' %},
owed AS (
    SELECT bills.owner_id, bills.position, NULL::uuid AS invoice_id, NULL AS number, bill_lines.charge_kind,
           bills.due_date, bills.period AS invoice_date, sum(bill_lines.amount) AS balance
      FROM bills
      JOIN bill_lines ON bill_lines.position = bills.position
     WHERE bills.owner_id IN (SELECT owner_id FROM credits)
     GROUP BY bills.owner_id, bills.position, bill_lines.charge_kind, bills.due_date, bills.period
     UNION ALL
    SELECT open_invoices.owner_id, NULL, open_invoices.invoice_id, open_invoices.number, open_charges.charge_kind,
           open_invoices.due_date, open_invoices.invoice_date, open_charges.balance
      FROM open_invoices
      JOIN open_charges ON open_charges.invoice_id = open_invoices.invoice_id
),
{% include 'jobs/owed_in_order.sql' %},
covered AS (
    -- Laid side by side, the two running totals overlap where a payment covers a charge.
    SELECT owed_in_order.owner_id, owed_in_order.position, owed_in_order.invoice_id, owed_in_order.number,
           owed_in_order.owed_through, credits.payment_id, credits.credit_through,
           least(owed_in_order.owed_through, credits.credit_through)
               - greatest(owed_in_order.owed_through - owed_in_order.balance,
                          credits.credit_through - credits.unapplied) AS amount
      FROM owed_in_order
      JOIN credits
        ON credits.owner_id = owed_in_order.owner_id
       AND credits.credit_through > owed_in_order.owed_through - owed_in_order.balance
       AND credits.credit_through - credits.unapplied < owed_in_order.owed_through
),
applications AS (
    -- A payment is applied to an invoice once, whatever charges of it are covered.
    SELECT owner_id, position, invoice_id, number, payment_id, credit_through, min(owed_through) AS owed_through,
           sum(amount) AS amount
      FROM covered
     GROUP BY owner_id, position, invoice_id, number, payment_id, credit_through
),
first_bills AS (
    SELECT owner_id, min(position) AS position
      FROM bills
     WHERE action = 'post'
     GROUP BY owner_id
),
credited AS (
    SELECT coalesce(applications.position, first_bills.position) AS position,
           sum(applications.amount) FILTER (WHERE applications.invoice_id IS NULL) AS to_this_invoice,
           sum(applications.amount) FILTER (WHERE applications.invoice_id IS NOT NULL) AS to_earlier_invoices,
           (SELECT string_agg(number, ', ' ORDER BY natural_order(number))
              FROM unnest(array_agg(DISTINCT applications.number)) AS number) AS earlier_numbers,
           jsonb_agg(jsonb_build_object(
               'payment_id', applications.payment_id,
               'invoice_id', applications.invoice_id,
               'invoice_number', applications.number,
               'amount', applications.amount)
               ORDER BY applications.position NULLS FIRST, applications.credit_through, applications.owed_through)
               AS applications
      FROM applications
      JOIN first_bills ON first_bills.owner_id = applications.owner_id
     GROUP BY coalesce(applications.position, first_bills.position)
)
