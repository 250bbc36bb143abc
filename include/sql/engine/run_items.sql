-- engine/run_items: a job's outcome per association over all attempts and shards of a DAG run. What was posted by any
-- attempt counts; what was skipped is as the last attempt saw it.
WITH attempts AS (
    SELECT run_tenants.*, row_number() OVER (PARTITION BY run_tenants.tenant_id ORDER BY run_tenants.id DESC) AS recency
      FROM run_tenants
      JOIN runs ON runs.id = run_tenants.run_id
     WHERE runs.dag_run_id = %(dag_run_id)s
       AND runs.job = %(job)s
),
items AS (
    SELECT DISTINCT ON (attempts.tenant_id, item.value ->> 'item_id')
           attempts.tenant_id, item.value, item.position
      FROM attempts
     CROSS JOIN LATERAL jsonb_array_elements(attempts.items) WITH ORDINALITY AS item (value, position)
     WHERE attempts.recency = 1 OR item.value ->> 'action' = 'post'
     ORDER BY attempts.tenant_id, item.value ->> 'item_id', item.value ->> 'action' = 'post' DESC, attempts.recency
)
SELECT tenants.name, tenants.code, attempts.error,
       coalesce((SELECT jsonb_agg(items.value ORDER BY items.position)
                   FROM items WHERE items.tenant_id = attempts.tenant_id), '[]') AS items
  FROM attempts
  JOIN tenants ON tenants.id = attempts.tenant_id
 WHERE attempts.recency = 1
 ORDER BY tenants.name, tenants.id
