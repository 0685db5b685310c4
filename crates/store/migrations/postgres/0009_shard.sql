-- Servers that share this database. A server says every moment that it is there; one that does not is taken out by
-- another, and can then write down nothing more under its name. `seen_at` is by the database's own clock; `serves`
-- is 0 for one that is about to stop.
CREATE TABLE node (
    id      TEXT COLLATE "C" PRIMARY KEY,
    seen_at BIGINT NOT NULL,
    serves  BIGINT NOT NULL
);

-- Which server serves a lane: the last byte of the lane's id is its shard. `epoch` counts the moves.
CREATE TABLE shard (
    number  BIGINT PRIMARY KEY,
    node_id TEXT COLLATE "C",
    epoch   BIGINT NOT NULL
);
INSERT INTO shard (number, node_id, epoch) SELECT number, NULL, 0 FROM generate_series(0, 255) AS number;

-- What a lane sent lately: the server that takes it over keeps its rates.
CREATE INDEX delivery_sent ON delivery (endpoint_id, started_at);
