{#- The owners of record of every unit in the CTE `unit_days` (unit_id, on_date): those whose ownership includes the
    day. Shares that one owner holds twice count together.
    Gives the CTEs `owners_of_record` (unit_id, on_date, owner_id, percentage), and `ownership_faults` (unit_id, on_date,
    fault): a row, with a sentence for people, where the unit cannot be charged to its owners. -#}
owners_of_record AS (
    SELECT unit_days.unit_id, unit_days.on_date, ownerships.owner_id, sum(ownerships.percentage) AS percentage
      FROM (SELECT DISTINCT unit_id, on_date FROM unit_days) AS unit_days
      JOIN ownerships
        ON ownerships.tenant_id = %(tenant_id)s
       AND ownerships.unit_id = unit_days.unit_id
       AND ownerships.starts_on <= unit_days.on_date
       AND (ownerships.ends_on IS NULL OR ownerships.ends_on >= unit_days.on_date)
     GROUP BY unit_days.unit_id, unit_days.on_date, ownerships.owner_id
),
ownership_faults AS (
    SELECT unit_days.unit_id, unit_days.on_date,
           CASE WHEN sum(owners_of_record.percentage) IS NULL
                THEN 'the unit has no owner of record on ' || unit_days.on_date
                ELSE 'the unit''s ownership shares add up to ' || trim_scale(sum(owners_of_record.percentage))
                         || ' %%, not 100 %%' END AS fault
      FROM (SELECT DISTINCT unit_id, on_date FROM unit_days) AS unit_days
      LEFT JOIN owners_of_record
        ON owners_of_record.unit_id = unit_days.unit_id
       AND owners_of_record.on_date = unit_days.on_date
     GROUP BY unit_days.unit_id, unit_days.on_date
    HAVING sum(owners_of_record.percentage) IS DISTINCT FROM 100
)
