-- What became true (facts), what is still to be carried to the broker (outbox), what has been received (inbox).

-- Outbox, timeline and audit trail in one: rows are only ever added. `tx` says in which transaction a fact became true; the
-- numbers of `seq` are given before commit, so a lower one may become visible later.
CREATE SEQUENCE facts_seq;
CREATE TABLE facts (
    seq         bigint NOT NULL DEFAULT nextval('facts_seq'),
    at          timestamptz NOT NULL,
    tx          xid8 NOT NULL DEFAULT pg_current_xact_id(),
    id          uuid NOT NULL DEFAULT gen_random_uuid(),
    agency      text NOT NULL,
    kind        text NOT NULL,
    subject     text NOT NULL,
    actor       text NOT NULL,
    traceparent text,
    clause      text,
    data        json NOT NULL,
    PRIMARY KEY (at, seq)
) PARTITION BY RANGE (at);
CREATE TABLE facts_default PARTITION OF facts DEFAULT;
CREATE INDEX facts_subject_seq_idx ON facts (subject, seq);

ALTER TABLE facts ENABLE ROW LEVEL SECURITY;
ALTER TABLE facts FORCE ROW LEVEL SECURITY;
ALTER TABLE facts_default ENABLE ROW LEVEL SECURITY;
ALTER TABLE facts_default FORCE ROW LEVEL SECURITY;
CREATE POLICY agency ON facts
    USING (agency = (SELECT current_setting('opsmesh.agency')) OR (SELECT current_setting('opsmesh.agency')) = '*');

-- One slim row a fact until the broker has confirmed it. A row appears when its transaction commits, whatever its number:
-- nothing can be overtaken and lost, as it could behind a cursor over `seq`.
CREATE TABLE outbox (
    seq bigint PRIMARY KEY,
    at  timestamptz NOT NULL
);

-- The ids of messages whose effect is in this database.
CREATE TABLE inbox (
    id      uuid PRIMARY KEY,
    seen_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX inbox_seen_at_idx ON inbox (seen_at);
