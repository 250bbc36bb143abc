-- generate_invoices/post: carries out the plan: the invoices and their lines, owners' credit applied to them, the
-- journal entries of both, and the months that are billed with that.
WITH planned AS MATERIALIZED (
{% include 'generate_invoices/plan.sql' %}
),
closed_periods AS (
    INSERT INTO billed_periods (tenant_id, period, run_id)
    SELECT DISTINCT %(tenant_id)s::uuid, planned.period, %(run_id)s::uuid
      FROM planned
     WHERE planned.closes_period
    ON CONFLICT DO NOTHING
),
invoices_to_post AS (
    SELECT 'assessment' AS kind, planned.unit_id, planned.owner_id, planned.period AS invoice_date, planned.due_date,
           planned.period, planned.amount,
           CASE jsonb_array_length(planned.lines)
                WHEN 1 THEN planned.lines -> 0 ->> 'description'
                ELSE 'Charges ' || to_char(planned.period, 'FMMonth YYYY') || ', Unit ' || planned.unit_number
                     || CASE WHEN planned.percentage < 100
                             THEN ', ' || trim_scale(planned.percentage) || '%% share' ELSE '' END
           END AS description,
           planned.receivable_account_id,
           NULL::uuid AS late_fee_of_invoice_id, NULL::uuid AS violation_escalation_id,
           row_number() OVER (
               ORDER BY planned.period, natural_order(planned.unit_number),
                        planned.percentage DESC, planned.owner_id) AS position,
           planned.item_id, planned.lines
      FROM planned
     WHERE planned.action = 'post'
),
lines_to_post AS (
    SELECT invoices_to_post.position, line.line_number, line.charge_kind, line.account_id, line.description, line.amount
      FROM invoices_to_post
     CROSS JOIN LATERAL jsonb_to_recordset(invoices_to_post.lines)
        AS line (line_number integer, charge_kind text, account_id uuid, description text, amount numeric(15,2))
),
credit_to_apply AS (
    SELECT planned.item_id, planned.receivable_account_id, planned.prepayments_account_id,
           application.payment_id, application.invoice_id, application.invoice_number, application.amount,
           row_number() OVER (ORDER BY invoices_to_post.position, listed.turn) AS turn
      FROM planned
      JOIN invoices_to_post ON invoices_to_post.item_id = planned.item_id
     CROSS JOIN LATERAL jsonb_array_elements(planned.applications) WITH ORDINALITY AS listed (fields, turn)
     CROSS JOIN LATERAL jsonb_to_record(listed.fields)
        AS application (payment_id uuid, invoice_id uuid, invoice_number text, amount numeric(15,2))
),
numbers_taken AS (
    UPDATE document_counters
       SET last_number = document_counters.last_number + wanted.numbers
      FROM (SELECT 'invoice' AS kind, count(*) AS numbers FROM invoices_to_post
             UNION ALL
            SELECT 'journal_entry',
                   (SELECT count(*) FROM invoices_to_post) + (SELECT count(*) FROM credit_to_apply)) AS wanted
     WHERE document_counters.tenant_id = %(tenant_id)s
       AND document_counters.kind = wanted.kind
       AND wanted.numbers > 0
    RETURNING document_counters.kind, document_counters.last_number - wanted.numbers AS number_before
),
{% include 'engine/post_numbered_invoices.sql' %},
applications_to_post AS (
    SELECT credit_to_apply.payment_id, credit_to_apply.amount,
           coalesce(credit_to_apply.invoice_id, invoiced.invoice_id) AS invoice_id,
           coalesce(credit_to_apply.invoice_number, invoiced.number) AS invoice_number,
           credit_to_apply.receivable_account_id, credit_to_apply.prepayments_account_id,
           (SELECT count(*) FROM invoices_to_post) + credit_to_apply.turn AS position
      FROM credit_to_apply
      JOIN invoiced ON invoiced.item_id = credit_to_apply.item_id
),
{% include 'engine/post_numbered_applications.sql' %}
SELECT planned.*, invoiced.number AS document_number, invoiced.invoice_id AS reference_id
  FROM planned
  LEFT JOIN invoiced ON invoiced.item_id = planned.item_id
 ORDER BY planned.period, natural_order(planned.unit_number), planned.percentage DESC, planned.owner_id
