-- schema/deployment/associations: how many associations there are, and how many of them the jobs work on.
SELECT count(*) AS known, count(*) FILTER (WHERE status = 'active') AS active FROM tenants
