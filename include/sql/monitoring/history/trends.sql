-- monitoring/history/trends: what live runs posted by month, counted or in dollars.
SELECT trends.name, date_trunc('month', runs.as_of)::date AS month,
       sum((CASE WHEN trends.total IS NULL THEN runs.counts ->> 'posted'
                 ELSE runs.totals ->> trends.total END)::numeric) AS figure
  FROM unnest(%(names)s::text[], %(jobs)s::text[], %(totals)s::text[]) AS trends (name, job, total)
  JOIN runs ON runs.job = trends.job
 WHERE runs.run_date >= %(since)s
   AND runs.mode = 'live'
 GROUP BY trends.name, month
