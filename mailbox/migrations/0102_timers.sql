-- What is to happen later: one row a timer until it has fired. A timer is taken away in the transaction of its effect.
CREATE TABLE timers (
    agency   text NOT NULL,
    kind     text NOT NULL,
    subject  text NOT NULL,
    due_at   timestamptz NOT NULL,
    -- When it is tried: when it is due, and later if its effect failed.
    try_at   timestamptz NOT NULL CHECK (try_at >= due_at),
    attempts integer NOT NULL DEFAULT 0,
    failure  text,
    PRIMARY KEY (agency, kind, subject)
);
CREATE INDEX timers_try_at_idx ON timers (try_at);
CREATE INDEX timers_agency_try_at_idx ON timers (agency, try_at);

ALTER TABLE timers ENABLE ROW LEVEL SECURITY;
ALTER TABLE timers FORCE ROW LEVEL SECURITY;
CREATE POLICY agency ON timers
    USING (agency = (SELECT current_setting('opsmesh.agency')) OR (SELECT current_setting('opsmesh.agency')) = '*');
