-- escalate_violations/lock: nobody cures or closes a violation between the decision and its posting.
SELECT violations.id
  FROM violations
 WHERE violations.tenant_id = %(tenant_id)s
   AND violations.status IN ('open', 'escalated')
   AND violations.cure_deadline < %(as_of)s
 ORDER BY violations.id
   FOR NO KEY UPDATE
