-- schema/roles/worker: all that the jobs need, and nothing more: no DDL, no DELETE, no UPDATE of the journal or of a
-- frozen message, no other schema. The braces are filled in with quoted identifiers.
REVOKE ALL ON ALL TABLES IN SCHEMA {associations}, {operations} FROM {role};
GRANT USAGE ON SCHEMA {associations}, {operations} TO {role};
GRANT SELECT ON ALL TABLES IN SCHEMA {associations}, {operations} TO {role};
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA {associations}, {operations} TO {role};

GRANT INSERT ON {associations}.journal_entries, {associations}.journal_entry_lines TO {role};
GRANT INSERT ON {associations}.invoices, {associations}.invoice_lines TO {role};
GRANT INSERT ON {associations}.payment_applications, {associations}.payment_reminders TO {role};
GRANT INSERT ON {associations}.violation_escalations TO {role};
GRANT UPDATE (status) ON {associations}.violations TO {role};

GRANT INSERT ON {operations}.go_live_decisions TO {role};
GRANT INSERT ON {operations}.runs, {operations}.run_tenants, {operations}.billed_periods TO {role};
GRANT UPDATE (as_of, run_date, mode, options, narrowed, status, finished_at, associations, failed, counts, totals)
    ON {operations}.runs TO {role};
GRANT INSERT ON {operations}.budget_alerts, {operations}.outbox TO {role};
GRANT UPDATE (state, attempts, not_before, claimed_by, claimed_at, handed_over_at, last_response, finished_at)
    ON {operations}.outbox TO {role};
GRANT INSERT ON {operations}.outbox_actions TO {role};
GRANT UPDATE (messages, newest, raised_at) ON {operations}.outbox_alarms TO {role};
GRANT INSERT, UPDATE ON {operations}.document_counters TO {role};
