{#- The invoices that an owner is reminded of: due before the day, of any kind, and not covered by credits.
    Gives the CTE `overdue`: the columns of `effective_balances`. -#}
{% include 'jobs/effective_balances.sql' %},
overdue AS (
    SELECT effective_balances.*
      FROM effective_balances
     WHERE effective_balances.due_date < %(as_of)s
       AND effective_balances.effective_balance > 0
)
