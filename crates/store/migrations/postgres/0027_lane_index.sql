-- Here every delivery is in the index by lane from the beginning, since any server may be asked for it; only what was copied
-- from a file is entered afterwards.
ALTER TABLE delivery ADD COLUMN in_lane BIGINT NOT NULL DEFAULT 1;

CREATE TABLE lane_mark (
    id   BIGINT PRIMARY KEY,
    upto BIGINT NOT NULL
);
INSERT INTO lane_mark (id, upto) SELECT 1, max(seq) FROM delivery HAVING max(seq) IS NOT NULL;
