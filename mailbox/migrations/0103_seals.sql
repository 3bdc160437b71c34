-- Facts are sealed in batches: a Merkle root over them, chained to the seal before and signed. Seals are only ever added.
CREATE TABLE seals (
    number    bigint PRIMARY KEY CHECK (number > 0),
    service   text NOT NULL,
    at        timestamptz NOT NULL,
    -- Which numbers of facts, and the transaction below which all that were numbered above `floor` are sealed.
    facts     text NOT NULL,
    horizon   bigint NOT NULL,
    floor     bigint NOT NULL,
    root      bytea NOT NULL CHECK (octet_length(root) = 32),
    previous  bytea NOT NULL CHECK (octet_length(previous) = 32),
    key       text NOT NULL,
    signature bytea NOT NULL CHECK (octet_length(signature) = 64),
    -- The hash of each fact, in the order of their numbers: what tells which one was changed.
    leaves    bytea NOT NULL
);

-- How far seals were copied to a second place.
CREATE TABLE seal_copies (
    place  text PRIMARY KEY,
    number bigint NOT NULL
);

-- What was committed since the last seal.
CREATE INDEX facts_tx_idx ON facts (tx);
