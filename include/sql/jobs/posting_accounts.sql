{#- The accounts of the association's ledger that the jobs post to: those of its table posting_accounts, and the usual
    ones for what that leaves out; `posting_account()` finds one by its number, or refuses.
    Gives the CTE `posting_accounts` (purpose, number, name): what each is for, and what it is called where it is
    missing. -#}
posting_accounts (purpose, number, name) AS (
    SELECT usual.purpose, coalesce(own.account_number, own_instead.account_number, usual.number), usual.name
      FROM (VALUES
          ('receivables', NULL, '1200', 'accounts receivable'),
          ('prepayments', NULL, '2200', 'owner prepayments'),
          ('assessments', NULL, '4100', 'assessment revenue'),
          -- These go where the assessments go.
          ('special_assessments', 'assessments', '4100', 'special assessment revenue'),
          ('other', 'assessments', '4100', 'revenue of other charges'),
          ('late_fees', NULL, '4200', 'late-fee revenue'),
          ('fines', NULL, '4300', 'fine revenue')) AS usual (purpose, purpose_instead, number, name)
      LEFT JOIN posting_accounts AS own
        ON own.tenant_id = %(tenant_id)s AND own.purpose = usual.purpose
      LEFT JOIN posting_accounts AS own_instead
        ON own_instead.tenant_id = %(tenant_id)s AND own_instead.purpose = usual.purpose_instead
)
