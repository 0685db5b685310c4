-- That what becomes of a topic's messages is written to the delivery log. Group and stream only stand in the lines.
CREATE TABLE logtank (
    id         TEXT COLLATE "C" PRIMARY KEY,
    topic_id   TEXT COLLATE "C" NOT NULL REFERENCES topic (id) ON DELETE CASCADE,
    group_id   TEXT COLLATE "C" NOT NULL,
    stream_id  TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX logtank_topic ON logtank (topic_id, created_at, id);
