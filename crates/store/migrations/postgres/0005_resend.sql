-- A delivery that is sent again takes a new place at the end of its lane. `attempts_before` are those it had behind it
-- then, which no longer count against the most it may have; `expires_at` stands in for its message's when it is set.
ALTER TABLE delivery ADD COLUMN attempts_before BIGINT NOT NULL DEFAULT 0;
ALTER TABLE delivery ADD COLUMN expires_at BIGINT;
CREATE INDEX delivery_ended ON delivery (seq) WHERE state IN (3, 4, 5);

-- What was published under a key that the publisher chose. Keyed hashes of the key and of the content; the row goes
-- when the key is too old to be honoured.
CREATE TABLE idempotency_key (
    project_id  TEXT COLLATE "C" NOT NULL,
    hash        BYTEA NOT NULL,
    fingerprint BYTEA NOT NULL,
    message_id  TEXT COLLATE "C" NOT NULL,
    deliveries  BIGINT NOT NULL,
    created_at  BIGINT NOT NULL,
    PRIMARY KEY (project_id, hash)
);
CREATE INDEX idempotency_key_created ON idempotency_key (created_at);
