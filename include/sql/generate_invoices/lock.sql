-- generate_invoices/lock: nobody applies, returns or takes back what credit and open invoices there are while they are
-- matched.
SELECT lock_owner_credits(%(tenant_id)s)
