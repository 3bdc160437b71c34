-- What the tests' consumer did, in the order in which it did it.
CREATE TABLE effects (
    number  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subject text NOT NULL,
    etag    text NOT NULL,
    done_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
