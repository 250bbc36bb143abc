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

CREATE VIEW job_runs AS
    SELECT runs.job, runs.dag_run_id, runs.run_date, runs.mode,
           max(runs.as_of) AS as_of,
           bool_or(runs.narrowed) AS narrowed,
           min(runs.options::text)::jsonb AS options,
           CASE WHEN bool_or(runs.status = 'running') THEN 'running'
                WHEN bool_or(runs.status = 'failed') THEN 'failed'
                WHEN bool_or(runs.status = 'switched_off') THEN 'switched_off'
                ELSE 'completed' END AS status,
           count(*) AS shards,
           min(runs.started_at) AS started_at,
           max(runs.finished_at) AS finished_at,
           sum(runs.associations)::integer AS associations,
           sum(runs.failed)::integer AS failed,
           sum_figures(runs.counts) AS counts,
           sum_figures(runs.totals) AS totals,
           runs.mode = 'live' AND NOT bool_or(runs.narrowed) AND bool_and(runs.status = 'completed')
               AND sum(runs.associations) > 0 AS proves_done
      FROM runs
     GROUP BY runs.job, runs.dag_run_id, runs.run_date, runs.mode;
COMMENT ON VIEW job_runs IS
    'A job of a DAG run, its shards together. proves_done: done for all associations, if all shards are there.';

-- Whoever posts takes the counters in one order, whichever number is asked for first: else a program that numbers its
-- journal entry before its invoice, and a job, wait for each other.
CREATE OR REPLACE FUNCTION next_document_number(for_tenant uuid, of_kind text)
RETURNS text LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    taken bigint;
BEGIN
    INSERT INTO document_counters (tenant_id, kind) VALUES (for_tenant, 'invoice'), (for_tenant, 'journal_entry')
        ON CONFLICT DO NOTHING;
    PERFORM FROM document_counters WHERE tenant_id = for_tenant ORDER BY kind FOR UPDATE;
    UPDATE document_counters SET last_number = last_number + 1
     WHERE tenant_id = for_tenant AND kind = of_kind
     RETURNING last_number INTO taken;
    RETURN document_number(of_kind, taken);
END
$$;
