-- Months of facts that were dropped because their time was over, signed as seals are: what an auditor need not look for. Only ever added.
CREATE TABLE disposals (
    service   text NOT NULL,
    month     date NOT NULL,
    at        timestamptz NOT NULL,
    facts     text NOT NULL,
    key       text NOT NULL,
    signature bytea NOT NULL CHECK (octet_length(signature) = 64),
    -- A month may come back with a database that was restored, and goes again.
    PRIMARY KEY (month, at)
);
