-- Servers that share a database, and which of them serves which lanes. A file has one server, which serves all: these
-- stay empty.
CREATE TABLE node (
    id      TEXT PRIMARY KEY,
    seen_at INTEGER NOT NULL,
    serves  INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE shard (
    number  INTEGER PRIMARY KEY,
    node_id TEXT,
    epoch   INTEGER NOT NULL
);
