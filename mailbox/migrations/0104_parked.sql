-- Messages that could not be handled, with their reasons. One that is no fact of an agency is nobody's: only the platform sees it.
CREATE TABLE inbox_parked (
    id        uuid PRIMARY KEY,
    agency    text,
    source    text NOT NULL,
    subject   text NOT NULL,
    kind      text NOT NULL,
    sequence  bigint NOT NULL,
    body      bytea NOT NULL,
    reason    text NOT NULL,
    -- Whether later messages of the subject wait behind it.
    holds     boolean NOT NULL,
    attempts  integer NOT NULL DEFAULT 1,
    parked_at timestamptz NOT NULL
);
CREATE INDEX inbox_parked_line_idx ON inbox_parked (agency, source, subject, sequence);
CREATE INDEX inbox_parked_parked_at_idx ON inbox_parked (parked_at);

ALTER TABLE inbox_parked ENABLE ROW LEVEL SECURITY;
ALTER TABLE inbox_parked FORCE ROW LEVEL SECURITY;
CREATE POLICY agency ON inbox_parked
    USING (agency = (SELECT current_setting('opsmesh.agency')) OR (SELECT current_setting('opsmesh.agency')) = '*');

-- How far each subject was handled: the gate that lets its messages through in their order.
CREATE TABLE inbox_subjects (
    agency  text NOT NULL,
    source  text NOT NULL,
    subject text NOT NULL,
    -- The highest sequence that came to the gate, and what it was before the last one came.
    highest bigint NOT NULL,
    before  bigint NOT NULL,
    -- How many messages of the subject are parked and hold what comes behind them.
    holding integer NOT NULL DEFAULT 0 CHECK (holding >= 0),
    seen_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (agency, source, subject)
);
CREATE INDEX inbox_subjects_seen_at_idx ON inbox_subjects (seen_at);

ALTER TABLE inbox_subjects ENABLE ROW LEVEL SECURITY;
ALTER TABLE inbox_subjects FORCE ROW LEVEL SECURITY;
CREATE POLICY agency ON inbox_subjects
    USING (agency = (SELECT current_setting('opsmesh.agency')) OR (SELECT current_setting('opsmesh.agency')) = '*');
