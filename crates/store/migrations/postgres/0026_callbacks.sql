-- What a platform told a connection, by a keyed hash: hearing it again does nothing.
CREATE TABLE callback_seen (
    connection_id TEXT COLLATE "C" NOT NULL,
    key           TEXT COLLATE "C" NOT NULL,
    at            BIGINT NOT NULL,
    PRIMARY KEY (connection_id, key)
);

-- When a platform told something last, and what; and when the directory is read for it.
ALTER TABLE connection ADD COLUMN heard_at BIGINT;
ALTER TABLE connection ADD COLUMN heard TEXT COLLATE "C";
ALTER TABLE connection ADD COLUMN update_due BIGINT;
