-- Inspection (巡检), 7.3.2.1: plans, their runs and results, and what was found.

CREATE TABLE plans (
    agency     text NOT NULL,
    id         text NOT NULL,
    uid        text NOT NULL,
    generation bigint NOT NULL,
    schedule   text NOT NULL,
    time_zone  text NOT NULL,
    items      jsonb NOT NULL,
    selector   jsonb NOT NULL,
    shard_size integer NOT NULL CHECK (shard_size > 0),
    max_shards integer NOT NULL CHECK (max_shards > 0),
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (agency, id)
);

-- The id of a run begins with the time of its tick: the months of runs, targets and results are ranges of ids.
CREATE TYPE run_state AS ENUM ('open', 'succeeded', 'incomplete', 'skipped');
CREATE TABLE runs (
    agency       text NOT NULL,
    id           uuid NOT NULL,
    plan_id      text NOT NULL,
    namespace    text NOT NULL,
    scheduled_at timestamptz NOT NULL,
    state        run_state NOT NULL,
    items        jsonb NOT NULL,
    targets      integer NOT NULL CHECK (targets >= 0),
    shard_size   integer NOT NULL CHECK (shard_size > 0),
    -- The balance; written when the run ends, counted from the results until then.
    recorded     integer NOT NULL DEFAULT 0,
    passed       integer NOT NULL DEFAULT 0,
    flagged      integer NOT NULL DEFAULT 0,
    failed       integer NOT NULL DEFAULT 0,
    origin       text NOT NULL,
    reason       text NOT NULL DEFAULT '',
    created_at   timestamptz NOT NULL,
    finished_at  timestamptz,
    PRIMARY KEY (agency, id),
    CHECK ((state = 'open') = (finished_at IS NULL)),
    CHECK (passed + flagged + failed = recorded)
) PARTITION BY RANGE (id);
CREATE TABLE runs_default PARTITION OF runs DEFAULT;
CREATE INDEX runs_plan_idx ON runs (agency, plan_id, id DESC);

-- The devices of a run, as they were when it was opened.
CREATE TABLE targets (
    agency       text NOT NULL,
    run_id       uuid NOT NULL,
    ordinal      integer NOT NULL,
    device_id    text NOT NULL,
    display_name text NOT NULL,
    address      text NOT NULL,
    PRIMARY KEY (agency, run_id, ordinal)
) PARTITION BY RANGE (run_id);
CREATE TABLE targets_default PARTITION OF targets DEFAULT;

CREATE TYPE verdict AS ENUM ('pass', 'flag', 'fail');
CREATE TABLE results (
    agency      text NOT NULL,
    run_id      uuid NOT NULL,
    item_id     text NOT NULL,
    device_id   text NOT NULL,
    observed_at timestamptz NOT NULL,
    observation jsonb NOT NULL,
    verdict     verdict NOT NULL,
    reason      text NOT NULL,
    PRIMARY KEY (agency, run_id, item_id, device_id)
) PARTITION BY RANGE (run_id);
CREATE TABLE results_default PARTITION OF results DEFAULT;

CREATE TYPE severity AS ENUM ('minor', 'major', 'critical');
CREATE TABLE findings (
    agency              text NOT NULL,
    id                  uuid NOT NULL,
    plan_id             text NOT NULL,
    item_id             text NOT NULL,
    item_title          text NOT NULL,
    device_id           text NOT NULL,
    device_display_name text NOT NULL,
    device_address      text NOT NULL,
    severity            severity NOT NULL,
    reason              text NOT NULL,
    opening_run         uuid NOT NULL,
    opened_at           timestamptz NOT NULL,
    last_seen_run       uuid NOT NULL,
    last_seen_at        timestamptz NOT NULL,
    times_seen          integer NOT NULL CHECK (times_seen > 0),
    clearing_run        uuid,
    cleared_at          timestamptz,
    origin              text NOT NULL,
    PRIMARY KEY (agency, id),
    CHECK ((clearing_run IS NULL) = (cleared_at IS NULL)),
    CHECK (last_seen_at >= opened_at)
);
-- The same defect is one finding until it clears.
CREATE UNIQUE INDEX findings_open_key ON findings (agency, plan_id, item_id, device_id) WHERE cleared_at IS NULL;
CREATE INDEX findings_device_idx ON findings (agency, device_id, id DESC);

DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['plans', 'runs', 'targets', 'results', 'findings'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY agency ON %I USING (agency = (SELECT current_setting(''opsmesh.agency'')) '
            'OR (SELECT current_setting(''opsmesh.agency'')) = ''*'')', t);
    END LOOP;
    FOREACH t IN ARRAY ARRAY['runs_default', 'targets_default', 'results_default'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
    END LOOP;
END $$;
