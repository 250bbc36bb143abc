-- The package's own records: what ran, what is to be told to whom, which document number comes next.
-- Runs with search_path set to the package's schema, then the associations'. No foreign keys into the
-- associations' schema, whose tables may be an application's own.

CREATE TABLE installation (
    installed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
INSERT INTO installation DEFAULT VALUES;
COMMENT ON TABLE installation IS 'One row. What was scheduled before this moment was nobody''s to do.';

CREATE TABLE runs (
    id          uuid PRIMARY KEY DEFAULT uuidv7(),
    job         text NOT NULL,
    dag_run_id  text NOT NULL,
    shard       integer NOT NULL DEFAULT 0,
    as_of       date NOT NULL,
    run_date    timestamptz NOT NULL,
    options     jsonb NOT NULL,
    narrowed    boolean NOT NULL,
    status      text NOT NULL DEFAULT 'running' CHECK (status IN ('running', 'completed', 'failed', 'switched_off')),
    started_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at timestamptz,
    associations integer NOT NULL DEFAULT 0,
    failed       integer NOT NULL DEFAULT 0,
    counts       jsonb NOT NULL DEFAULT '{}',
    totals       jsonb NOT NULL DEFAULT '{}',
    UNIQUE (job, dag_run_id, shard)
);
CREATE INDEX ON runs (job, run_date DESC);
CREATE INDEX runs_completed ON runs (job, run_date DESC) WHERE status = 'completed' AND NOT narrowed AND associations > 0;
COMMENT ON TABLE runs IS 'One row per live run of a job (and shard). A dry run leaves no trace here.';
COMMENT ON COLUMN runs.run_date IS 'The moment the run stands for, from which its date is taken; started_at and finished_at are the clock''s.';
COMMENT ON COLUMN runs.narrowed IS 'Restricted to one association or budget: proves nothing about the others.';
COMMENT ON COLUMN runs.associations IS 'This and the following are added up from run_tenants when the run ends, so that a history of many runs is quick to read.';

CREATE TABLE run_tenants (
    id          uuid PRIMARY KEY DEFAULT uuidv7(),
    run_id      uuid NOT NULL REFERENCES runs,
    tenant_id   uuid NOT NULL,
    status      text NOT NULL CHECK (status IN ('posted', 'failed')),
    counts      jsonb NOT NULL DEFAULT '{}',
    totals      jsonb NOT NULL DEFAULT '{}',
    items       jsonb NOT NULL DEFAULT '[]',
    error       text,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CHECK ((status = 'failed') = (error IS NOT NULL))
);
CREATE INDEX ON run_tenants (run_id, tenant_id);
CREATE INDEX ON run_tenants (tenant_id, id DESC);
CREATE INDEX run_tenants_failed ON run_tenants (id DESC) WHERE status = 'failed';
COMMENT ON TABLE run_tenants IS
    'What one attempt of a run did for one association, written in the transaction that did it; a retry adds a row.';
COMMENT ON COLUMN run_tenants.items IS 'The rows of the plan, as the report shows them. No personal data.';

CREATE TABLE billed_periods (
    tenant_id uuid NOT NULL,
    period    date NOT NULL CHECK (period = date_trunc('month', period)),
    run_id    uuid NOT NULL REFERENCES runs,
    PRIMARY KEY (tenant_id, period)
);
COMMENT ON TABLE billed_periods IS 'The months whose assessments a completed run has billed; a missing one is caught up.';

CREATE TABLE budget_alerts (
    tenant_id      uuid NOT NULL,
    budget_line_id uuid NOT NULL,
    alerted_on     date NOT NULL,
    severity       text NOT NULL CHECK (severity IN ('warning', 'critical')),
    budgeted       numeric(15,2) NOT NULL,
    actual         numeric(15,2) NOT NULL,
    unfavorable    numeric(15,2) NOT NULL CHECK (unfavorable > 0),
    alert_id       uuid NOT NULL,
    run_id         uuid NOT NULL REFERENCES runs,
    PRIMARY KEY (tenant_id, budget_line_id, alerted_on, severity, unfavorable)
);
CREATE INDEX ON budget_alerts (run_id);
COMMENT ON TABLE budget_alerts IS 'Which budget line was alerted when and how bad it was, so that an unchanged alert is not repeated.';
COMMENT ON COLUMN budget_alerts.unfavorable IS 'Dollars above the budget (expense) or below it (revenue).';
COMMENT ON COLUMN budget_alerts.alert_id IS 'The same for all lines that one mail about one budget tells of.';

-- Document numbers. A run locks its association's counters in a statement of its own and posts in the next one,
-- with a fresh snapshot: that keeps the numbers free of gaps and two runs of one association apart.
CREATE TABLE document_counters (
    tenant_id   uuid NOT NULL,
    kind        text NOT NULL CHECK (kind IN ('invoice', 'journal_entry')),
    last_number bigint NOT NULL DEFAULT 0 CHECK (last_number >= 0),
    PRIMARY KEY (tenant_id, kind)
);

CREATE TABLE reversals (
    tenant_id        uuid NOT NULL,
    invoice_id       uuid NOT NULL,
    journal_entry_id uuid NOT NULL,
    reversed_on      date NOT NULL,
    reversed_by      text NOT NULL CHECK (reversed_by ~ '\S'),
    reason           text NOT NULL CHECK (reason ~ '\S'),
    recorded_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, invoice_id)
);
COMMENT ON TABLE reversals IS 'The invoices that a person had reversed, and why; journal_entry_id is the reversing entry.';

-- The outbox. --------------------------------------------------------------------------------------------

CREATE TABLE outbox (
    id               uuid PRIMARY KEY DEFAULT uuidv7(),
    tenant_id        uuid NOT NULL,
    run_id           uuid REFERENCES runs,
    kind             text NOT NULL,
    reference_id     uuid NOT NULL,
    recipient_id     uuid NOT NULL,
    channel          text NOT NULL CHECK (channel IN ('email', 'post')),
    sender_name      text NOT NULL,
    recipient_name   text NOT NULL,
    recipient_address text,
    subject          text NOT NULL,
    text_body        text NOT NULL,
    html_body        text NOT NULL,
    attachment       jsonb,
    state            text NOT NULL DEFAULT 'pending'
                     CHECK (state IN ('pending', 'sending', 'sent', 'uncertain', 'failed', 'obsolete', 'suppressed',
                                      'canceled')),
    attempts         integer NOT NULL DEFAULT 0,
    not_before       timestamptz NOT NULL DEFAULT clock_timestamp(),
    claimed_by       uuid,
    claimed_at       timestamptz,
    handed_over_at   timestamptz,
    last_response    text,
    created_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at      timestamptz,
    UNIQUE (tenant_id, kind, reference_id, recipient_id),
    CHECK (channel = 'post' OR state = 'suppressed' OR recipient_address IS NOT NULL)
);
CREATE INDEX outbox_due ON outbox (not_before) WHERE channel = 'email' AND state = 'pending';
CREATE INDEX outbox_claimed ON outbox (claimed_at) WHERE state = 'sending';
CREATE INDEX outbox_unfinished ON outbox (state, channel, created_at)
    WHERE state IN ('pending', 'sending', 'failed', 'uncertain');
CREATE INDEX outbox_by_month ON outbox (kind, created_at, state);
CREATE INDEX ON outbox (run_id);
COMMENT ON TABLE outbox IS 'Messages, frozen in the transaction that made them true; delivery only changes the columns about delivery.';
COMMENT ON COLUMN outbox.reference_id IS 'What the message is about (an escalation, a budget alert, an invoice, a reminder).';
COMMENT ON COLUMN outbox.handed_over_at IS 'Set just before the message is given to the mail server: a claim that died before this is safe to send again.';
COMMENT ON COLUMN outbox.attachment IS 'The facts from which the attached document is drawn when the message leaves.';
COMMENT ON COLUMN outbox.state IS
    'pending, sending, sent; uncertain (the server may have it) and failed (dead letter) wait for a person; obsolete, suppressed and canceled stay unsent.';

CREATE TABLE outbox_actions (
    id         uuid PRIMARY KEY DEFAULT uuidv7(),
    message_id uuid NOT NULL REFERENCES outbox,
    action     text NOT NULL CHECK (action IN ('requeue', 'cancel', 'posted')),
    from_state text NOT NULL,
    acted_by   text NOT NULL CHECK (acted_by ~ '\S'),
    reason     text NOT NULL CHECK (reason ~ '\S'),
    acted_at   timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX ON outbox_actions (message_id);
COMMENT ON TABLE outbox_actions IS 'What people did to messages that delivery could not finish, and why.';

CREATE TABLE outbox_alarms (
    alarm     text PRIMARY KEY,
    messages  bigint NOT NULL DEFAULT 0,
    newest    timestamptz,
    raised_at timestamptz
);
INSERT INTO outbox_alarms (alarm) VALUES ('dead_letters'), ('uncertain'), ('waiting');
COMMENT ON TABLE outbox_alarms IS 'How bad it was when each alarm was last looked at: it is raised again only when it got worse.';
