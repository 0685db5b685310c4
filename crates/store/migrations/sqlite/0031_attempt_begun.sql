-- Which attempts have begun, many in one row (ADR 38): a server takes its first row in which none is under way any more. What a
-- row says of an attempt that has ended says nothing: its delivery counts it already.
CREATE TABLE attempt_begun (
    node_id TEXT NOT NULL,
    slot    INTEGER NOT NULL,
    begun   BLOB NOT NULL,
    PRIMARY KEY (node_id, slot)
) WITHOUT ROWID;
