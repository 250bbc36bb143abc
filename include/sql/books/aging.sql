-- books/aging: what was open at the end of a day, one row per unit and owner, by days overdue.
WITH open_invoices AS (
    SELECT invoices.unit_id, invoices.owner_id, %(as_of)s::date - invoices.due_date AS days_overdue,
           invoices.amount - applied.amount AS balance
      FROM invoices
      LEFT JOIN journal_entries AS reversals
        ON reversals.tenant_id = invoices.tenant_id AND reversals.reverses_entry_id = invoices.journal_entry_id
     CROSS JOIN LATERAL (
           SELECT coalesce(sum(applications.amount), 0) AS amount
             FROM payment_applications AS applications
             LEFT JOIN journal_entries AS taken_back
               ON taken_back.tenant_id = applications.tenant_id AND taken_back.id = applications.reversal_entry_id
            WHERE applications.tenant_id = invoices.tenant_id
              AND applications.invoice_id = invoices.id
              AND applications.applied_on <= %(as_of)s
              AND (taken_back.entry_date IS NULL OR taken_back.entry_date > %(as_of)s)) AS applied
     WHERE invoices.tenant_id = %(tenant_id)s
       AND invoices.invoice_date <= %(as_of)s
       AND (invoices.status <> 'void' OR reversals.entry_date > %(as_of)s)
       AND invoices.amount <> applied.amount
)
SELECT units.unit_number, owners.full_name AS owner_name,
       coalesce(sum(balance) FILTER (WHERE days_overdue <= 0), 0.00) AS current,
       coalesce(sum(balance) FILTER (WHERE days_overdue BETWEEN 1 AND 30), 0.00) AS days_1_30,
       coalesce(sum(balance) FILTER (WHERE days_overdue BETWEEN 31 AND 60), 0.00) AS days_31_60,
       coalesce(sum(balance) FILTER (WHERE days_overdue BETWEEN 61 AND 90), 0.00) AS days_61_90,
       coalesce(sum(balance) FILTER (WHERE days_overdue > 90), 0.00) AS over_90,
       sum(balance) AS total
  FROM open_invoices
  JOIN units ON units.tenant_id = %(tenant_id)s AND units.id = open_invoices.unit_id
  JOIN owners ON owners.tenant_id = %(tenant_id)s AND owners.id = open_invoices.owner_id
 GROUP BY units.unit_number, owners.id, owners.full_name
 ORDER BY natural_order(units.unit_number), owners.full_name, owners.id
