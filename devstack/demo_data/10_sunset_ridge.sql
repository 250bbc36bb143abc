-- Sunset Ridge HOA: three overdue violations, a budget with two lines that ran away, six units.
INSERT INTO tenants (id, code, name, payment_instructions, billing_starts_on) VALUES
    ('00000000-0000-7000-8000-000000000001', 'sunset-ridge', 'Sunset Ridge HOA',
     'Pay online at https://pay.sunset-ridge.example or send a check to Sunset Ridge HOA, PO Box 100, Sunset Ridge.',
     pg_temp.first_billed_month());

INSERT INTO contacts (tenant_id, role, full_name, email)
SELECT tenants.id, contact.role, contact.full_name, contact.email
  FROM tenants
 CROSS JOIN (VALUES
    ('treasurer', 'Theresa Ledger', 'treasurer@sunset-ridge.example'),
    ('board', 'Board of Sunset Ridge', 'board@sunset-ridge.example')) AS contact (role, full_name, email)
 WHERE tenants.code = 'sunset-ridge';

INSERT INTO accounts (tenant_id, number, name, type)
SELECT tenants.id, account.number, account.name, account.type
  FROM tenants
 CROSS JOIN (VALUES
    ('1000', 'Operating Cash', 'asset'),
    ('1200', 'Accounts Receivable', 'asset'),
    ('2200', 'Owner Prepayments', 'liability'),
    ('3000', 'Fund Balance', 'equity'),
    ('4100', 'Assessment Revenue', 'revenue'),
    ('4200', 'Late Fee Revenue', 'revenue'),
    ('4300', 'Fine Revenue', 'revenue'),
    ('5100', 'Landscaping', 'expense'),
    ('5200', 'Repairs & Maintenance', 'expense'),
    ('5300', 'Utilities', 'expense')) AS account (number, name, type)
 WHERE tenants.code = 'sunset-ridge';

INSERT INTO owners (tenant_id, full_name, email, postal_address)
SELECT tenants.id, owner.full_name, owner.email, owner.postal_address
  FROM tenants
 CROSS JOIN (VALUES
    ('John Smith', 'john.smith@example.com', '101 Ridge Road'),
    ('Maria Garcia', 'maria.garcia@example.com', '205 Ridge Road'),
    ('Wei Chen', 'wei.chen@example.com', '312 Ridge Road'),
    ('Aisha Khan', 'aisha.khan@example.com', '102 Ridge Road'),
    ('Peter Novak', 'peter.novak@example.com', '102 Ridge Road'),
    ('Lena Fischer', NULL, '103 Ridge Road'),
    ('Omar Haddad', 'omar.haddad@example.com', '104 Ridge Road')) AS owner (full_name, email, postal_address)
 WHERE tenants.code = 'sunset-ridge';

INSERT INTO units (tenant_id, unit_number)
SELECT tenants.id, unit.unit_number
  FROM tenants
 CROSS JOIN (VALUES ('101'), ('102'), ('103'), ('104'), ('205'), ('312')) AS unit (unit_number)
 WHERE tenants.code = 'sunset-ridge';

INSERT INTO unit_statuses (tenant_id, unit_id, status, starts_on)
SELECT units.tenant_id, units.id,
       CASE units.unit_number WHEN '102' THEN 'rented' WHEN '104' THEN 'vacant' ELSE 'occupied' END, '2020-01-01'
  FROM units
  JOIN tenants ON tenants.id = units.tenant_id AND tenants.code = 'sunset-ridge';

-- Unit 205 rents a parking space by the quarter; all of them pay for the new roof of the clubhouse in six installments.
INSERT INTO recurring_charges (tenant_id, unit_id, charge_kind, description, amount, frequency, starts_on,
                               installments)
SELECT units.tenant_id, units.id, charge.charge_kind, charge.description, charge.amount, charge.frequency,
       CASE charge.charge_kind WHEN 'assessment' THEN '2020-01-01'::date ELSE pg_temp.first_billed_month() END,
       charge.installments
  FROM units
  JOIN tenants ON tenants.id = units.tenant_id AND tenants.code = 'sunset-ridge'
  JOIN (VALUES
    ('101', 'assessment', 'Assessment', 250.00, 'monthly', NULL::integer),
    ('102', 'assessment', 'Assessment', 275.25, 'monthly', NULL),
    ('103', 'assessment', 'Assessment', 250.00, 'monthly', NULL),
    ('104', 'assessment', 'Assessment', 250.00, 'monthly', NULL),
    ('205', 'assessment', 'Assessment', 300.00, 'monthly', NULL),
    ('312', 'assessment', 'Assessment', 325.50, 'monthly', NULL),
    ('101', 'special_assessment', 'Roof of the clubhouse', 40.00, 'monthly', 6),
    ('205', 'other', 'Parking space 7', 90.00, 'quarterly', NULL)
    ) AS charge (unit_number, charge_kind, description, amount, frequency, installments)
    ON charge.unit_number = units.unit_number;

INSERT INTO ownerships (tenant_id, unit_id, owner_id, percentage, starts_on)
SELECT tenants.id, units.id AS unit_id, owners.id AS owner_id, ownership.percentage, '2020-01-01'
  FROM tenants
 CROSS JOIN (VALUES
    ('101', 'John Smith', 100), ('205', 'Maria Garcia', 100), ('312', 'Wei Chen', 100),
    ('102', 'Aisha Khan', 66.6667), ('102', 'Peter Novak', 33.3333),
    ('103', 'Lena Fischer', 100), ('104', 'Omar Haddad', 100)) AS ownership (unit_number, full_name, percentage)
  JOIN units ON units.tenant_id = tenants.id AND units.unit_number = ownership.unit_number
  JOIN owners ON owners.tenant_id = tenants.id AND owners.full_name = ownership.full_name
 WHERE tenants.code = 'sunset-ridge';

INSERT INTO late_fee_rules (tenant_id, fee_type, flat_amount, grace_days, frequency, effective_from)
SELECT tenants.id, 'flat', 25.00, 5, 'once', '2025-01-01' FROM tenants WHERE tenants.code = 'sunset-ridge';

INSERT INTO violation_types (tenant_id, name)
SELECT tenants.id, type.name
  FROM tenants
 CROSS JOIN (VALUES ('Unapproved Exterior Modification'), ('Parking Violation'), ('Landscaping Neglect')) AS type (name)
 WHERE tenants.code = 'sunset-ridge';

-- One fine schedule for all of them: run daily, it fines on days 1, 7 and 14 after the cure deadline.
INSERT INTO fine_schedules (tenant_id) SELECT tenants.id FROM tenants WHERE tenants.code = 'sunset-ridge';

INSERT INTO fine_schedule_steps (tenant_id, schedule_id, step, name, fine, days_after_previous)
SELECT fine_schedules.tenant_id, fine_schedules.id, step.step, step.name, step.fine, step.days_after_previous
  FROM fine_schedules
  JOIN tenants ON tenants.id = fine_schedules.tenant_id AND tenants.code = 'sunset-ridge'
 CROSS JOIN (VALUES (1, 'First notice', 50.00, 0), (2, 'Second notice', 100.00, 6), (3, 'Final notice', 150.00, 7))
    AS step (step, name, fine, days_after_previous);

INSERT INTO violations (tenant_id, violation_number, unit_id, violation_type_id, description, status, reported_on,
                        cure_deadline)
SELECT tenants.id, pg_temp.of_this_year(violation.violation_number), units.id AS unit_id,
       violation_types.id AS violation_type_id, violation.description, violation.status,
       pg_temp.day(violation.reported_on::date), pg_temp.day(violation.cure_deadline::date)
  FROM tenants
 CROSS JOIN (VALUES
    ('VIOL-2025-001', '101', 'Unapproved Exterior Modification', 'Unauthorized fence installation', 'escalated',
     '2025-10-08', '2025-10-22'),
    ('VIOL-2025-002', '205', 'Parking Violation', 'Trailer parked on the street for more than 72 hours', 'open',
     '2025-10-12', '2025-10-26'),
    ('VIOL-2025-003', '312', 'Landscaping Neglect', 'Front lawn not maintained', 'escalated',
     '2025-10-01', '2025-10-15')
    ) AS violation (violation_number, unit_number, type_name, description, status, reported_on, cure_deadline)
  JOIN units ON units.tenant_id = tenants.id AND units.unit_number = violation.unit_number
  JOIN violation_types ON violation_types.tenant_id = tenants.id AND violation_types.name = violation.type_name
 WHERE tenants.code = 'sunset-ridge';

-- Steps taken before HOA Ops was put in charge; their fines were collected by hand and are not in this ledger.
INSERT INTO violation_escalations (tenant_id, violation_id, step, step_name, escalated_on, scheduled_fine, fine)
SELECT violations.tenant_id, violations.id, past.step, past.step_name, pg_temp.day(past.escalated_on::date),
       past.fine AS scheduled_fine, past.fine
  FROM (VALUES
    ('VIOL-2025-001', 1, 'First notice', '2025-10-23', 50.00),
    ('VIOL-2025-003', 1, 'First notice', '2025-10-16', 50.00),
    ('VIOL-2025-003', 2, 'Second notice', '2025-10-22', 100.00)
    ) AS past (violation_number, step, step_name, escalated_on, fine)
  JOIN tenants ON tenants.code = 'sunset-ridge'
  JOIN violations
    ON violations.tenant_id = tenants.id
   AND violations.violation_number = pg_temp.of_this_year(past.violation_number);

INSERT INTO budgets (id, tenant_id, name, period_label, starts_on, ends_on)
SELECT '00000000-0000-7000-8000-0000000000b1', tenants.id,
       pg_temp.of_this_year('2025 Operating Budget'), pg_temp.of_this_year('2025'),
       pg_temp.calendar_day('2025-01-01'), pg_temp.calendar_day('2025-12-31')
  FROM tenants WHERE tenants.code = 'sunset-ridge';

INSERT INTO budget_lines (tenant_id, budget_id, account_id, budgeted)
SELECT budgets.tenant_id, budgets.id, accounts.id AS account_id, line.budgeted
  FROM budgets
 CROSS JOIN (VALUES ('5100', 12000.00), ('5200', 8000.00), ('5300', 9600.00)) AS line (number, budgeted)
  JOIN accounts ON accounts.tenant_id = budgets.tenant_id AND accounts.number = line.number
 WHERE budgets.id = '00000000-0000-7000-8000-0000000000b1';

-- What was spent, each an entry against cash. A double payment of the landscaper was reversed.
WITH spent (number, entry_date, description, account_number, amount, reverses) AS (
    VALUES
    (1, '2025-03-31'::date, 'Landscaping, first quarter', '5100', 4500.00, NULL::integer),
    (2, '2025-06-30', 'Landscaping, second quarter', '5100', 5200.00, NULL),
    (3, '2025-07-02', 'Landscaping, second quarter, paid twice', '5100', 5200.00, NULL),
    (4, '2025-07-09', 'Reversal of the double payment', '5100', -5200.00, 3),
    (5, '2025-09-30', 'Landscaping, third quarter', '5100', 4800.00, NULL),
    (6, '2025-05-15', 'Roof repair', '5200', 6700.00, NULL),
    (7, '2025-09-20', 'Plumbing', '5200', 4500.00, NULL),
    (8, '2025-09-30', 'Utilities, nine months', '5300', 7100.00, NULL)
),
entries AS (
    SELECT spent.*, tenants.id AS tenant_id, uuidv7() AS entry_id
      FROM spent
      JOIN tenants ON tenants.code = 'sunset-ridge'
),
posted AS (
    INSERT INTO journal_entries (tenant_id, id, entry_number, entry_date, description, source, reverses_entry_id)
    SELECT entries.tenant_id, entries.entry_id, 'OPEN-' || entries.number, pg_temp.calendar_day(entries.entry_date),
           entries.description,
           CASE WHEN entries.reverses IS NULL THEN 'manual' ELSE 'reversal' END,
           reversed.entry_id AS reverses_entry_id
      FROM entries
      LEFT JOIN entries AS reversed ON reversed.number = entries.reverses
)
INSERT INTO journal_entry_lines (tenant_id, entry_id, line_number, account_id, debit, credit)
SELECT entries.tenant_id, entries.entry_id, side.line_number, accounts.id,
       greatest(side.amount, 0), greatest(-side.amount, 0)
  FROM entries
 CROSS JOIN LATERAL (VALUES (1, entries.account_number, entries.amount), (2, '1000', -entries.amount))
    AS side (line_number, number, amount)
  JOIN accounts ON accounts.tenant_id = entries.tenant_id AND accounts.number = side.number;
