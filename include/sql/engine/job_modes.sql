-- engine/job_modes: the last decision about each job: since when it is live, or null when it went back to rehearsal.
SELECT DISTINCT ON (go_live_decisions.job)
       go_live_decisions.job,
       CASE WHEN go_live_decisions.live THEN go_live_decisions.decided_at END AS live_since,
       go_live_decisions.decided_by, go_live_decisions.reason, go_live_decisions.decided_at
  FROM go_live_decisions
 ORDER BY go_live_decisions.job, go_live_decisions.id DESC
