-- books/reversals/missing: the numbers of no invoice of the association.
SELECT wanted.number
  FROM unnest(%(numbers)s::text[]) AS wanted (number)
 WHERE NOT EXISTS (
       SELECT FROM invoices
        WHERE invoices.tenant_id = %(tenant_id)s
          AND invoices.number = wanted.number)
 ORDER BY natural_order(wanted.number)
