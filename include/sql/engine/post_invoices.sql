{#- Takes an invoice number and an entry number for every row of the CTE `invoices_to_post` and posts it with one line:
    see engine/post_numbered_invoices.sql for its columns; revenue_account_id is one of them here. The association's
    counters must be locked.
    Gives the CTE `invoiced` (the columns of `invoices_to_post`, invoice_id, number). -#}
numbers_taken AS (
    UPDATE document_counters
       SET last_number = last_number + (SELECT count(*) FROM invoices_to_post)
     WHERE tenant_id = %(tenant_id)s
       AND EXISTS (SELECT FROM invoices_to_post)
    RETURNING kind, last_number - (SELECT count(*) FROM invoices_to_post) AS number_before
),
lines_to_post AS (
    SELECT position, 1 AS line_number, kind AS charge_kind, revenue_account_id AS account_id, description, amount
      FROM invoices_to_post
),
{% include 'engine/post_numbered_invoices.sql' %}
