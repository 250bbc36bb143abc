-- engine/first_day: the day on which the first of these associations began: when a unit first has an owner, or when its
-- billing starts; null where that is not known of all of them.
SELECT CASE WHEN bool_and(began.first_day IS NOT NULL) THEN min(began.first_day) END AS first_day
  FROM (SELECT least(tenants.billing_starts_on,
                     (SELECT min(ownerships.starts_on)
                        FROM ownerships
                       WHERE ownerships.tenant_id = tenants.id)) AS first_day
          FROM tenants
         WHERE tenants.id = ANY (%(tenant_ids)s)) AS began
