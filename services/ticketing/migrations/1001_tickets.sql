-- Tickets (工单), 7.4.1. The id of a ticket begins with the time of its cause: the months of the table are ranges of ids.
CREATE TYPE ticket_state AS ENUM ('new', 'assigned', 'resolved', 'awaiting_confirmation', 'closed');
CREATE TYPE grade AS ENUM ('i', 'ii', 'iii', 'iv');
CREATE TABLE tickets (
    agency       text NOT NULL,
    id           uuid NOT NULL,
    title        text NOT NULL CHECK (title <> ''),
    description  text NOT NULL,
    grade        grade NOT NULL,
    state        ticket_state NOT NULL,
    device       text,
    finding      text,
    requester    text NOT NULL,
    assignee     text,
    evidence     jsonb NOT NULL,
    recheck      jsonb,
    resolution   jsonb,
    confirmation jsonb,
    origin       text,
    opened_at    timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL,
    closed_at    timestamptz,
    revision     bigint NOT NULL CHECK (revision > 0),
    PRIMARY KEY (agency, id),
    CHECK ((state = 'closed') = (closed_at IS NOT NULL)),
    -- 7.4.1.6: closed only after the user confirmed.
    CHECK (state <> 'closed' OR confirmation IS NOT NULL),
    CHECK (state IN ('new', 'awaiting_confirmation', 'closed') OR assignee IS NOT NULL)
) PARTITION BY RANGE (id);
CREATE TABLE tickets_default PARTITION OF tickets DEFAULT;
CREATE INDEX tickets_device_idx ON tickets (agency, device, id DESC);
CREATE INDEX tickets_open_idx ON tickets (agency, id DESC) WHERE state <> 'closed';

ALTER TABLE tickets ENABLE ROW LEVEL SECURITY;
ALTER TABLE tickets FORCE ROW LEVEL SECURITY;
ALTER TABLE tickets_default ENABLE ROW LEVEL SECURITY;
ALTER TABLE tickets_default FORCE ROW LEVEL SECURITY;
CREATE POLICY agency ON tickets
    USING (agency = (SELECT current_setting('opsmesh.agency')) OR (SELECT current_setting('opsmesh.agency')) = '*');
