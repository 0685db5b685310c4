-- What a platform told a connection, by a keyed hash: hearing it again does nothing.
CREATE TABLE callback_seen (
    connection_id TEXT NOT NULL,
    key           TEXT NOT NULL,
    at            INTEGER NOT NULL,
    PRIMARY KEY (connection_id, key)
) WITHOUT ROWID;

-- When a platform told something last, and what; and when the directory is read for it.
ALTER TABLE connection ADD COLUMN heard_at INTEGER;
ALTER TABLE connection ADD COLUMN heard TEXT;
ALTER TABLE connection ADD COLUMN update_due INTEGER;
