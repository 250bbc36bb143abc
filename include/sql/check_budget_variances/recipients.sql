{#- Who is told of the association's budget alerts: its treasurer and its board, as far as they have an e-mail address.
    Gives the CTE `recipients` (contact_id, role, full_name, email). -#}
recipients AS (
    SELECT contacts.id AS contact_id, contacts.role, contacts.full_name, contacts.email
      FROM contacts
     WHERE contacts.tenant_id = %(tenant_id)s
       AND contacts.role IN ('treasurer', 'board')
       AND contacts.active
       AND contacts.email IS NOT NULL
)
