-- A delivery enters the index by lane when it has waited longer than a moment; most are over by then. What is behind the
-- mark and waits may be missing in it. Whatever was there before is in it.
ALTER TABLE delivery ADD COLUMN in_lane INTEGER NOT NULL DEFAULT 1;
DROP INDEX delivery_lane;
CREATE INDEX delivery_lane ON delivery (endpoint_id, priority DESC, seq) WHERE in_lane = 1 AND state IN (0, 1);

-- One row, or none before the first delivery.
CREATE TABLE lane_mark (
    id   INTEGER PRIMARY KEY,
    upto INTEGER NOT NULL
);
INSERT INTO lane_mark (id, upto) SELECT 1, max(seq) FROM delivery HAVING max(seq) IS NOT NULL;
