{#- Takes a document number for every row of the CTE `documents` and posts it: see engine/numbered_documents.sql for its
    columns. The association's counters must be locked.
    Gives the CTE `invoiced` (document columns, invoice_id, number). -#}
counted AS (
    UPDATE document_counters
       SET last_number = last_number + (SELECT count(*) FROM documents)
     WHERE tenant_id = %(tenant_id)s
       AND EXISTS (SELECT FROM documents)
    RETURNING kind, last_number - (SELECT count(*) FROM documents) AS base
),
{% include 'engine/numbered_documents.sql' %}
