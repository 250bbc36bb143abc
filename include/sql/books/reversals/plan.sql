-- books/reversals/plan: what reversing the selected invoices would do, one row each, with the reason for each that is
-- left alone. What was paid on them returns to the owner's credit; mail about them that has not left is not to be sent.
WITH {% include 'books/reversals/selected.sql' %},
settled AS (
    SELECT applications.invoice_id, sum(applications.amount) AS amount, max(applications.applied_on) AS applied_on,
           min(entries.entry_number) FILTER (WHERE shared.by_others) AS shared_entry,
           min(entries.entry_number) FILTER (WHERE reversals.id IS NOT NULL) AS reversed_entry
      FROM payment_applications AS applications
      JOIN journal_entries AS entries
        ON entries.tenant_id = applications.tenant_id AND entries.id = applications.journal_entry_id
      LEFT JOIN journal_entries AS reversals
        ON reversals.tenant_id = entries.tenant_id AND reversals.reverses_entry_id = entries.id
     CROSS JOIN LATERAL (
           SELECT EXISTS (
                  SELECT FROM payment_applications AS others
                   WHERE others.tenant_id = applications.tenant_id
                     AND others.journal_entry_id = applications.journal_entry_id
                     AND others.id <> applications.id)) AS shared (by_others)
     WHERE applications.tenant_id = %(tenant_id)s
       AND applications.invoice_id IN (SELECT selected.id FROM selected)
       AND applications.reversal_entry_id IS NULL
     GROUP BY applications.invoice_id
),
told AS (
    SELECT selected.id AS invoice_id,
           bool_or(outbox.state IN ('sending', 'sent', 'uncertain')) AS owner_was_told,
           array_agg(outbox.id) FILTER (WHERE outbox.state IN ('pending', 'failed')) AS unsent_messages
      FROM selected
      JOIN outbox
        ON outbox.tenant_id = selected.tenant_id
       AND outbox.reference_id IN (selected.id, selected.violation_escalation_id)
       AND outbox.recipient_id = selected.owner_id
     GROUP BY selected.id
),
judged AS (
    SELECT selected.*, units.unit_number, settled.amount AS credited, told.owner_was_told, told.unsent_messages,
           verdict.action, verdict.reason
      FROM selected
      JOIN units ON units.tenant_id = selected.tenant_id AND units.id = selected.unit_id
      LEFT JOIN settled ON settled.invoice_id = selected.id
      LEFT JOIN told ON told.invoice_id = selected.id
      LEFT JOIN journal_entries AS reversals
        ON reversals.tenant_id = selected.tenant_id AND reversals.reverses_entry_id = selected.journal_entry_id
     CROSS JOIN LATERAL (
           SELECT 'skip', 'already void'
            WHERE selected.status = 'void'
            UNION ALL
           SELECT 'exception', reversals.entry_number || ' reverses its journal entry already, yet it is not void'
            WHERE reversals.id IS NOT NULL
            UNION ALL
           SELECT 'exception', 'dated ' || selected.invoice_date || ', after the date of the reversal'
            WHERE selected.invoice_date > %(as_of)s
            UNION ALL
           SELECT 'exception', 'a payment was applied to it on ' || settled.applied_on
                               || ', after the date of the reversal'
            WHERE settled.applied_on > %(as_of)s
            UNION ALL
           SELECT 'exception', 'a payment was applied to it by ' || settled.shared_entry
                               || ', which also settles others: take that apart first'
            WHERE settled.shared_entry IS NOT NULL
            UNION ALL
           SELECT 'exception', settled.reversed_entry || ' applied a payment to it and is reversed, yet the payment is '
                               || 'still applied'
            WHERE settled.reversed_entry IS NOT NULL
            UNION ALL
           SELECT 'post', NULL
            LIMIT 1) AS verdict (action, reason)
),
bearing_fees AS (
    -- A fee cannot stand without the invoice that it was charged on.
    SELECT fees.late_fee_of_invoice_id AS invoice_id,
           string_agg(fees.number, ', ' ORDER BY natural_order(fees.number)) AS fee_numbers
      FROM invoices AS fees
     WHERE fees.tenant_id = %(tenant_id)s
       AND fees.late_fee_of_invoice_id IN (SELECT selected.id FROM selected)
       AND fees.status <> 'void'
       AND fees.id NOT IN (SELECT judged.id FROM judged WHERE judged.action = 'post')
     GROUP BY fees.late_fee_of_invoice_id
)
SELECT judged.id AS item_id,
       CASE WHEN bearing_fees.invoice_id IS NULL OR judged.action <> 'post' THEN judged.action ELSE 'exception' END
           AS action,
       CASE WHEN bearing_fees.invoice_id IS NULL OR judged.action <> 'post' THEN judged.reason
            ELSE 'late fee ' || bearing_fees.fee_numbers || ' was charged on it: reverse that as well' END AS reason,
       judged.number AS invoice_number, judged.kind, judged.unit_number, judged.amount, judged.journal_entry_id,
       coalesce(judged.credited, 0.00) AS credited,
       coalesce(judged.owner_was_told, false) AS owner_was_told,
       coalesce(judged.unsent_messages, '{}') AS unsent_messages
  FROM judged
  LEFT JOIN bearing_fees ON bearing_fees.invoice_id = judged.id
 ORDER BY natural_order(judged.number)
