{#- The invoices that are to be reversed: those that runs posted, or those of these numbers.
    Gives the CTE `selected`: the columns of invoices. -#}
selected AS (
    SELECT invoices.*
      FROM invoices
     WHERE invoices.tenant_id = %(tenant_id)s
       AND (invoices.run_id = ANY (%(run_ids)s::uuid[]) OR invoices.number = ANY (%(numbers)s::text[]))
)
