-- That what becomes of a topic's messages is written to the delivery log. Group and stream only stand in the lines.
CREATE TABLE logtank (
    id         TEXT PRIMARY KEY,
    topic_id   TEXT NOT NULL REFERENCES topic (id) ON DELETE CASCADE,
    group_id   TEXT NOT NULL,
    stream_id  TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX logtank_topic ON logtank (topic_id, created_at, id);
