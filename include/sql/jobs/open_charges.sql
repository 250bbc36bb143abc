{#- What each invoice of the CTE `open_invoices` leaves open of which charge kind. What was paid on it has settled its
    own kinds in the association's order, and so has what its lines deduct.
    Gives the CTEs `application_order` (see jobs/application_order.sql) and `open_charges` (invoice_id, charge_kind,
    balance). -#}
{% include 'jobs/application_order.sql' %},
charges AS (
    -- open_from: what this charge and those that are settled after it come to.
    SELECT invoiced.invoice_id, invoiced.charge_kind, invoiced.amount,
           sum(invoiced.amount) OVER (
               PARTITION BY invoiced.invoice_id
               ORDER BY application_order.rank DESC, invoiced.charge_kind DESC) AS open_from
      FROM (SELECT invoice_lines.invoice_id, invoice_lines.charge_kind, sum(invoice_lines.amount) AS amount
              FROM open_invoices
              JOIN invoice_lines
                ON invoice_lines.tenant_id = %(tenant_id)s
               AND invoice_lines.invoice_id = open_invoices.invoice_id
             GROUP BY invoice_lines.invoice_id, invoice_lines.charge_kind) AS invoiced
      JOIN application_order ON application_order.charge_kind = invoiced.charge_kind
     WHERE invoiced.amount > 0
),
open_charges AS (
    SELECT open_invoices.invoice_id, charges.charge_kind,
           least(charges.amount, open_invoices.balance - (charges.open_from - charges.amount)) AS balance
      FROM open_invoices
      JOIN charges ON charges.invoice_id = open_invoices.invoice_id
     WHERE open_invoices.balance > charges.open_from - charges.amount
)
