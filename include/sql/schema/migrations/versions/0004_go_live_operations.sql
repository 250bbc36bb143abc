-- Since when each job is live, who decided it and why; and in which mode a run of the ledger was done.

CREATE TABLE go_live_decisions (
    id         uuid PRIMARY KEY DEFAULT uuidv7(),
    job        text NOT NULL,
    live       boolean NOT NULL,
    decided_by text NOT NULL CHECK (decided_by ~ '\S'),
    reason     text NOT NULL CHECK (reason ~ '\S'),
    decided_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX ON go_live_decisions (job, id DESC);
COMMENT ON TABLE go_live_decisions IS
    'Who let which job go live or took it back, and why. A job''s last row counts; without one it is in rehearsal.';
COMMENT ON COLUMN go_live_decisions.decided_at IS 'What was scheduled before this moment is nobody''s to do.';

-- A deployment that has posted before goes on as it was.
INSERT INTO go_live_decisions (job, live, decided_by, reason, decided_at)
SELECT job, true, 'migration', 'the job had run live before decisions were kept', min(started_at)
  FROM runs
 GROUP BY job;

ALTER TABLE runs ADD COLUMN mode text NOT NULL DEFAULT 'live' CHECK (mode IN ('live', 'rehearsal'));
COMMENT ON TABLE runs IS
    'One row per run of a job (and shard), live or in rehearsal. A dry run leaves no trace here.';
COMMENT ON COLUMN runs.mode IS 'A rehearsal was planned and reported; nothing was posted, and it proves nothing.';

ALTER TABLE run_tenants
    DROP CONSTRAINT run_tenants_status_check,
    ADD CONSTRAINT run_tenants_status_check CHECK (status IN ('posted', 'rehearsed', 'failed'));

DROP INDEX runs_completed;
CREATE INDEX runs_completed ON runs (job, run_date DESC)
    WHERE mode = 'live' AND status = 'completed' AND NOT narrowed AND associations > 0;

DROP TABLE installation;

-- A row of the plan that nothing is done about is skipped: one word in plans, reports and the ledger.
UPDATE runs
   SET counts = counts - 'left_alone' || jsonb_build_object('skipped', counts -> 'left_alone')
 WHERE counts ? 'left_alone';
UPDATE run_tenants
   SET counts = counts - 'left_alone' || jsonb_build_object('skipped', counts -> 'left_alone')
 WHERE counts ? 'left_alone';
UPDATE run_tenants
   SET items = (SELECT jsonb_agg(CASE WHEN item.value ->> 'action' = 'leave'
                                      THEN item.value || '{"action": "skip"}' ELSE item.value END
                                 ORDER BY item.position)
                  FROM jsonb_array_elements(run_tenants.items) WITH ORDINALITY AS item (value, position))
 WHERE items @> '[{"action": "leave"}]';
