-- The device ledger (设备台账), 7.2.
CREATE TYPE device_class AS ENUM (
    'server', 'storage', 'network_switch', 'network_router', 'firewall', 'wireless', 'desktop', 'printer', 'ups',
    'power_distribution', 'precision_ac', 'fire_protection', 'environment_monitoring', 'equipment_room', 'cabling',
    'conference_av', 'software'
);
CREATE TYPE device_state AS ENUM ('in_service', 'retired');
CREATE TABLE devices (
    agency       text NOT NULL,
    id           text NOT NULL CHECK (id ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    display_name text NOT NULL CHECK (display_name <> ''),
    class        device_class NOT NULL,
    address      text NOT NULL CHECK (address <> ''),
    site         text NOT NULL,
    labels       jsonb NOT NULL,
    state        device_state NOT NULL,
    created_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL,
    revision     bigint NOT NULL CHECK (revision > 0),
    PRIMARY KEY (agency, id)
);
CREATE INDEX devices_labels_idx ON devices USING gin (labels jsonb_path_ops);

ALTER TABLE devices ENABLE ROW LEVEL SECURITY;
ALTER TABLE devices FORCE ROW LEVEL SECURITY;
CREATE POLICY agency ON devices
    USING (agency = (SELECT current_setting('opsmesh.agency')) OR (SELECT current_setting('opsmesh.agency')) = '*');
