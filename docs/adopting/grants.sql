-- What the schema owner may read, and nothing else: no log-ins, no sessions. Run it as the owner of the
-- application's tables.
GRANT USAGE ON SCHEMA public TO hoa_ops_owner;
GRANT SELECT ON
    tenants_tenant, accounting_boardmember, accounting_owner, accounting_unit, accounting_ownership, accounting_account,
    accounting_journalentry, accounting_journalentryline, accounting_invoice, accounting_payment,
    accounting_paymentapplication, accounting_violationtype, accounting_violation, accounting_violationescalation,
    accounting_latefeerule, accounting_budget, accounting_budgetline
    TO hoa_ops_owner;
