-- Which attempts have begun, many in one row (ADR 38): a server takes its first row in which none is under way any more. What a
-- row says of an attempt that has ended says nothing: its delivery counts it already.
CREATE TABLE attempt_begun (
    node_id TEXT COLLATE "C" NOT NULL,
    slot    BIGINT NOT NULL,
    begun   BYTEA NOT NULL,
    PRIMARY KEY (node_id, slot)
);
