-- The answers given to callers, by the request_id they chose.
CREATE TABLE requests (
    agency      text NOT NULL,
    request_id  uuid NOT NULL,
    fingerprint bytea NOT NULL,
    answer      bytea,
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (agency, request_id)
);
CREATE INDEX requests_created_at_idx ON requests (created_at);

ALTER TABLE requests ENABLE ROW LEVEL SECURITY;
ALTER TABLE requests FORCE ROW LEVEL SECURITY;
CREATE POLICY agency ON requests
    USING (agency = (SELECT current_setting('opsmesh.agency')) OR (SELECT current_setting('opsmesh.agency')) = '*');
