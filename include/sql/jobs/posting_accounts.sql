{#- The accounts of an association's ledger that the jobs post to; `posting_account()` finds one by its number, or
    refuses.
    Gives the CTE `posting_accounts` (purpose, number, name): what each is for, and what it is called where it is
    missing. -#}
posting_accounts (purpose, number, name) AS (
    VALUES
    ('receivables', '1200', 'accounts receivable'),
    ('prepayments', '2200', 'owner prepayments'),
    ('assessments', '4100', 'assessment revenue'),
    ('late_fees', '4200', 'late-fee revenue'),
    ('fines', '4300', 'fine revenue')
)
