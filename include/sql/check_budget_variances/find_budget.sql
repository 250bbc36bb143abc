-- check_budget_variances/find_budget: the budget that a run was narrowed to, and whose it is.
SELECT budgets.tenant_id, tenants.status AS tenant_status, budgets.status AS budget_status
  FROM budgets
  JOIN tenants ON tenants.id = budgets.tenant_id
 WHERE budgets.id = %(budget_id)s
