-- What is kept. A job has one row in `specs`, written once, and one row that moves between `line` (pending), `running`,
-- `delayed` (scheduled, retrying) and `ended` (terminal): its state is where that row is, its attempts so far go with it.
--
-- Claims therefore work on small tables of narrow rows, whatever the history holds: what they leave behind is vacuumed
-- in milliseconds, and neither finished jobs nor large payloads are ever rewritten. People read the view `jobs`.
--
-- States are numbers as in v1.JobState. Times are microseconds since the epoch; where one may be missing it is NULL.

CREATE TABLE queues (
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text COLLATE "C" NOT NULL UNIQUE,
    paused boolean NOT NULL,
    max_workers bigint NOT NULL,
    max_length bigint NOT NULL,
    rate_limit float8 NOT NULL,
    retention_success_us bigint NOT NULL,
    retention_other_us bigint NOT NULL,
    created_at_us bigint NOT NULL,
    updated_at_us bigint NOT NULL,
    tokens float8 NOT NULL DEFAULT 0,
    tokens_at_us bigint NOT NULL DEFAULT 0, -- 0: the bucket was never used, and is full
    data bytea NOT NULL -- a serialized v1.Queue; `paused` and the two times are those of the columns
) WITH (fillfactor = 50);

-- Queues that were deleted, and may have left jobs that prune has yet to forget.
CREATE TABLE deleted_queues (id int PRIMARY KEY);

CREATE TABLE specs (
    id uuid PRIMARY KEY,
    created_at_us bigint NOT NULL,
    queue_id int NOT NULL,
    priority smallint NOT NULL,
    type text NOT NULL,
    scheduled_at_us bigint,
    expires_at_us bigint,
    idempotency_key text,
    unique_key text,
    tags text[],
    spec bytea NOT NULL -- a serialized v1.JobSpec, as it was inserted
);
CREATE UNIQUE INDEX specs_idempotency_key ON specs (idempotency_key) WHERE idempotency_key IS NOT NULL;

CREATE TABLE line (
    id uuid NOT NULL,
    place bigint NOT NULL, -- of priority and arrival: the lowest is the next
    queue_id int NOT NULL,
    attempt int NOT NULL,
    forgiven int NOT NULL,
    keyed boolean NOT NULL, -- it holds a unique key
    ready_at_us bigint NOT NULL,
    expires_at_us bigint,
    started_at_us bigint,
    worker text
);
CREATE UNIQUE INDEX line_order ON line (queue_id, place);
CREATE UNIQUE INDEX line_id ON line (id);
CREATE INDEX line_expiring ON line (expires_at_us, id) WHERE expires_at_us IS NOT NULL;
CREATE SEQUENCE arrivals;

-- What claims pass over: of a queue's places in line, those of one priority before `until` are empty for ever. Rows that
-- were claimed stay in the index until they are vacuumed, which any long query of anybody's puts off (a report, a dump);
-- without this, every claim would look at all of them again. See raise_gaps().
CREATE TABLE gaps (
    queue_id int NOT NULL,
    since bigint NOT NULL, -- the first place of the priority
    until bigint NOT NULL,
    candidate bigint, -- the next `until`, once every transaction before `candidate_xid` has ended
    candidate_xid bigint,
    PRIMARY KEY (queue_id, since)
) WITH (fillfactor = 50);

CREATE TABLE running (
    id uuid NOT NULL,
    place bigint NOT NULL, -- the one it had in line, should it be handed back
    queue_id int NOT NULL,
    attempt int NOT NULL,
    forgiven int NOT NULL,
    keyed boolean NOT NULL,
    cancel_requested boolean NOT NULL DEFAULT false,
    ready_at_us bigint NOT NULL,
    started_at_us bigint NOT NULL,
    lease_until_us bigint NOT NULL,
    worker text NOT NULL,
    expires_at_us bigint,
    progress bytea
);
CREATE UNIQUE INDEX running_id ON running (id);

CREATE TABLE delayed (
    id uuid NOT NULL,
    due_at_us bigint NOT NULL,
    queue_id int NOT NULL,
    attempt int NOT NULL,
    forgiven int NOT NULL,
    state smallint NOT NULL,
    keyed boolean NOT NULL,
    ready_at_us bigint NOT NULL,
    expires_at_us bigint,
    started_at_us bigint,
    worker text
);
CREATE UNIQUE INDEX delayed_id ON delayed (id);
CREATE INDEX delayed_due ON delayed (due_at_us, id);
CREATE INDEX delayed_expiring ON delayed (expires_at_us, id) WHERE expires_at_us IS NOT NULL;

CREATE TABLE ended (
    id uuid NOT NULL,
    finished_at_us bigint NOT NULL,
    queue_id int NOT NULL,
    attempt int NOT NULL,
    forgiven int NOT NULL,
    state smallint NOT NULL,
    cancel_requested boolean NOT NULL DEFAULT false,
    ready_at_us bigint NOT NULL,
    started_at_us bigint,
    worker text,
    progress bytea,
    result bytea,
    history bytea -- of a success, its last attempt: other attempts are in `attempts`
);
CREATE UNIQUE INDEX ended_id ON ended (id);
CREATE INDEX ended_retention ON ended (queue_id, finished_at_us) WHERE state = 5;
CREATE INDEX ended_retention_other ON ended (queue_id, finished_at_us) WHERE state > 5;
CREATE INDEX ended_state ON ended (state, id) WHERE state > 5;

CREATE TABLE attempts (
    job_id uuid NOT NULL,
    attempt int NOT NULL,
    ended_at_us bigint NOT NULL,
    worker text,
    error_type text,
    error_message text,
    history bytea NOT NULL, -- a serialized v1.History with this attempt
    PRIMARY KEY (job_id, attempt)
);

CREATE TABLE unique_keys (
    key text PRIMARY KEY,
    job_id uuid NOT NULL UNIQUE
);

-- How many jobs each state holds, as differences that are added up: every call adds rows of its own, so that no two calls
-- wait for each other. `bucket` is the ten seconds in which jobs ended, 0 when that no longer matters.
CREATE TABLE tallies (
    queue_id int NOT NULL,
    bucket bigint NOT NULL,
    scheduled bigint NOT NULL DEFAULT 0,
    pending bigint NOT NULL DEFAULT 0,
    running bigint NOT NULL DEFAULT 0,
    retrying bigint NOT NULL DEFAULT 0,
    dead bigint NOT NULL DEFAULT 0,
    completed bigint NOT NULL DEFAULT 0,
    failed bigint NOT NULL DEFAULT 0
);

CREATE TABLE schedules (
    id text PRIMARY KEY,
    name text COLLATE "C" NOT NULL UNIQUE,
    revision bigint NOT NULL,
    take_at_us bigint, -- when it fires next, or until when it is taken; NULL: paused, or never again
    data bytea NOT NULL -- a serialized v1.Schedule
);
CREATE INDEX schedules_take ON schedules (take_at_us, id) WHERE take_at_us IS NOT NULL;

-- Fires whose jobs are not stored yet, and may be.
CREATE TABLE open_fires (
    job_id uuid PRIMARY KEY,
    schedule_id text NOT NULL,
    at_us bigint NOT NULL, -- the tick
    offer_at_us bigint NOT NULL,
    fire bytea NOT NULL -- a serialized v1.Fire
);
CREATE INDEX open_fires_offer ON open_fires (offer_at_us, job_id);

CREATE TABLE workers (
    id text COLLATE "C" PRIMARY KEY,
    expires_at_us bigint NOT NULL,
    data bytea NOT NULL -- a serialized v1.WorkerInfo
) WITH (fillfactor = 50);

-- Rows of these tables live for seconds. They are vacuumed often, at full speed, and never cut off at the end: that would
-- take a lock that everybody waits for.
ALTER TABLE line SET (
    autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000, autovacuum_vacuum_cost_delay = 0,
    autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 200000, vacuum_truncate = false
);
ALTER TABLE running SET (
    fillfactor = 70,
    autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000, autovacuum_vacuum_cost_delay = 0,
    autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 200000, vacuum_truncate = false
);
ALTER TABLE delayed SET (
    autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000, autovacuum_vacuum_cost_delay = 0,
    vacuum_truncate = false
);
ALTER TABLE tallies SET (
    autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0,
    vacuum_truncate = false
);
-- History is only ever added to and pruned.
ALTER TABLE specs SET (autovacuum_vacuum_scale_factor = 0.05, vacuum_truncate = false);
ALTER TABLE ended SET (autovacuum_vacuum_scale_factor = 0.05, vacuum_truncate = false);

-- Functions that are called from outside have a search path of their own. This gives them plans that do not depend on
-- statistics, which are always wrong here: a table that was empty at the last look may hold a million rows now. Every
-- table they touch is reached by an index, row by row; where rows are looked up for others, a LATERAL subquery that
-- cannot be flattened (FOR UPDATE, OFFSET 0) holds the planner to that order. To be called after functions were made or
-- replaced.
CREATE PROCEDURE fix_plans() LANGUAGE plpgsql AS $$
DECLARE
    entry regprocedure;
    setting text;
BEGIN
    FOR entry IN
        SELECT oid FROM pg_proc WHERE pronamespace = quote_ident(current_schema())::regnamespace AND proconfig IS NOT NULL
    LOOP
        FOREACH setting IN ARRAY ARRAY[
            'enable_seqscan = off', 'enable_bitmapscan = off', 'enable_hashjoin = off', 'enable_mergejoin = off',
            'jit = off', 'plan_cache_mode = force_generic_plan'
        ] LOOP
            EXECUTE format('ALTER FUNCTION %s SET %s', entry, setting);
        END LOOP;
    END LOOP;
END $$;
