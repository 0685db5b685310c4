-- One row, by which a start tells whether the key file is this database's own: a known word sealed under the key that
-- sealed at the first start, and its keyed hash under the key that makes the look-up hashes.
CREATE TABLE key_check (
    id     BIGINT PRIMARY KEY,
    sealed BYTEA NOT NULL,
    hash   BYTEA NOT NULL
);
