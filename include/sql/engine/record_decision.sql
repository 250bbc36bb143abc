-- engine/record_decision: a person lets a job go live, or takes it back into rehearsal.
INSERT INTO go_live_decisions (job, live, decided_by, reason)
VALUES (%(job)s, %(live)s, %(decided_by)s, %(reason)s)
