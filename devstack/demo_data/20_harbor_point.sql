-- Harbor Point Condominium, the second association: its own schedule, co-owners, and nobody of Sunset Ridge.
INSERT INTO tenants (id, code, name, fine_cap_per_year, payment_instructions, billing_starts_on) VALUES
    ('00000000-0000-7000-8000-000000000002', 'harbor-point', 'Harbor Point Condominium', 60.00,
     'Bank transfer to Harbor Point Condominium, account 000111222.', pg_temp.first_billed_month());

INSERT INTO contacts (tenant_id, role, full_name, email)
SELECT tenants.id, 'treasurer', 'Hugo Purser', 'treasurer@harbor-point.example'
  FROM tenants
 WHERE tenants.code = 'harbor-point';

INSERT INTO accounts (tenant_id, number, name, type)
SELECT tenants.id, account.number, account.name, account.type
  FROM tenants
 CROSS JOIN (VALUES
    ('1000', 'Operating Cash', 'asset'), ('1200', 'Accounts Receivable', 'asset'),
    ('2200', 'Owner Prepayments', 'liability'), ('4100', 'Assessment Revenue', 'revenue'),
    ('4200', 'Late Fee Revenue', 'revenue'), ('4300', 'Fine Revenue', 'revenue'),
    ('5100', 'Elevator', 'expense')) AS account (number, name, type)
 WHERE tenants.code = 'harbor-point';

INSERT INTO owners (tenant_id, full_name, email, postal_address)
SELECT tenants.id, owner.full_name, owner.email, owner.postal_address
  FROM tenants
 CROSS JOIN (VALUES
    ('Ingrid Olsen', 'ingrid.olsen@example.org', '1 Quay Street'),
    ('Erik Olsen', 'erik.olsen@example.org', '1 Quay Street'),
    ('Noor de Vries', 'noor.devries@example.org', '2 Quay Street')) AS owner (full_name, email, postal_address)
 WHERE tenants.code = 'harbor-point';

INSERT INTO notification_preferences (tenant_id, owner_id, channel)
SELECT owners.tenant_id, owners.id, 'letter'
  FROM owners JOIN tenants ON tenants.id = owners.tenant_id
 WHERE tenants.code = 'harbor-point' AND owners.full_name = 'Erik Olsen';

INSERT INTO units (tenant_id, unit_number)
SELECT tenants.id, unit.unit_number
  FROM tenants
 CROSS JOIN (VALUES ('A-1'), ('A-2')) AS unit (unit_number)
 WHERE tenants.code = 'harbor-point';

INSERT INTO unit_statuses (tenant_id, unit_id, status, starts_on)
SELECT units.tenant_id, units.id, 'occupied', '2021-06-01'
  FROM units
  JOIN tenants ON tenants.id = units.tenant_id AND tenants.code = 'harbor-point';

INSERT INTO recurring_charges (tenant_id, unit_id, charge_kind, description, amount, starts_on)
SELECT units.tenant_id, units.id, 'assessment', 'Assessment',
       CASE units.unit_number WHEN 'A-1' THEN 410.01 ELSE 389.00 END, '2021-06-01'
  FROM units
  JOIN tenants ON tenants.id = units.tenant_id AND tenants.code = 'harbor-point';

INSERT INTO ownerships (tenant_id, unit_id, owner_id, percentage, starts_on)
SELECT tenants.id, units.id AS unit_id, owners.id AS owner_id, ownership.percentage, '2021-06-01'
  FROM tenants
 CROSS JOIN (VALUES ('A-1', 'Ingrid Olsen', 50), ('A-1', 'Erik Olsen', 50), ('A-2', 'Noor de Vries', 100))
    AS ownership (unit_number, full_name, percentage)
  JOIN units ON units.tenant_id = tenants.id AND units.unit_number = ownership.unit_number
  JOIN owners ON owners.tenant_id = tenants.id AND owners.full_name = ownership.full_name
 WHERE tenants.code = 'harbor-point';

INSERT INTO violation_types (tenant_id, name)
SELECT tenants.id, 'Noise' FROM tenants WHERE tenants.code = 'harbor-point';

INSERT INTO fine_schedules (tenant_id) SELECT tenants.id FROM tenants WHERE tenants.code = 'harbor-point';

INSERT INTO fine_schedule_steps (tenant_id, schedule_id, step, name, fine, days_after_previous)
SELECT fine_schedules.tenant_id, fine_schedules.id, step.step, step.name, step.fine, step.days_after_previous
  FROM fine_schedules
  JOIN tenants ON tenants.id = fine_schedules.tenant_id AND tenants.code = 'harbor-point'
 CROSS JOIN (VALUES (1, 'Warning', 0.00, 0), (2, 'Fine', 75.25, 10)) AS step (step, name, fine, days_after_previous);

INSERT INTO violations (tenant_id, violation_number, unit_id, violation_type_id, description, status, reported_on,
                        cure_deadline)
SELECT tenants.id, violation.violation_number, units.id AS unit_id, violation_types.id AS violation_type_id,
       violation.description, violation.status,
       pg_temp.day(violation.reported_on::date), pg_temp.day(violation.cure_deadline::date)
  FROM tenants
 CROSS JOIN (VALUES
    ('HP-7', 'A-1', 'Party after 23:00', 'escalated', '2025-10-01', '2025-10-10'),
    ('HP-8', 'A-2', 'Barking dog', 'open', '2025-10-20', '2025-10-27'),
    ('HP-9', 'A-2', 'Drilling on Sunday', 'open', '2025-10-26', '2025-11-05')
    ) AS violation (violation_number, unit_number, description, status, reported_on, cure_deadline)
  JOIN units ON units.tenant_id = tenants.id AND units.unit_number = violation.unit_number
  JOIN violation_types ON violation_types.tenant_id = tenants.id
 WHERE tenants.code = 'harbor-point';

INSERT INTO violation_escalations (tenant_id, violation_id, step, step_name, escalated_on, scheduled_fine, fine)
SELECT violations.tenant_id, violations.id, 1, 'Warning', pg_temp.day('2025-10-11'), 0, 0
  FROM violations
  JOIN tenants ON tenants.id = violations.tenant_id AND tenants.code = 'harbor-point'
 WHERE violations.violation_number = 'HP-7';

INSERT INTO budgets (tenant_id, name, period_label, starts_on, ends_on, basis)
SELECT tenants.id, pg_temp.of_this_year('House Budget 2025'), pg_temp.of_this_year('2025'),
       pg_temp.calendar_day('2025-01-01'), pg_temp.calendar_day('2025-12-31'), 'to_date'
  FROM tenants WHERE tenants.code = 'harbor-point';

INSERT INTO budget_lines (tenant_id, budget_id, account_id, budgeted)
SELECT budgets.tenant_id, budgets.id, accounts.id AS account_id, 3600.00
  FROM budgets
  JOIN tenants ON tenants.id = budgets.tenant_id AND tenants.code = 'harbor-point'
  JOIN accounts ON accounts.tenant_id = budgets.tenant_id AND accounts.number = '5100';

WITH entry AS (
    INSERT INTO journal_entries (tenant_id, entry_number, entry_date, description)
    SELECT tenants.id, 'OPEN-1', pg_temp.calendar_day('2025-08-15'), 'Elevator overhaul'
      FROM tenants WHERE tenants.code = 'harbor-point'
    RETURNING tenant_id, id
)
INSERT INTO journal_entry_lines (tenant_id, entry_id, line_number, account_id, debit, credit)
SELECT entry.tenant_id, entry.id, side.line_number, accounts.id AS account_id, side.debit, side.credit
  FROM entry
 CROSS JOIN (VALUES (1, '5100', 3700.00, 0), (2, '1000', 0, 3700.00)) AS side (line_number, number, debit, credit)
  JOIN accounts ON accounts.tenant_id = entry.tenant_id AND accounts.number = side.number;
