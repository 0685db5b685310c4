-- What waits in a lane stands in lists of places beside the deliveries (ADR 36): up to 128 places of one lane and priority,
-- in their order, as JSON. A place that no delivery waits in any more may still stand in one; none that is up to the mark and
-- waits is missing. The column `in_lane` says nothing any more.
DROP INDEX delivery_lane;

CREATE TABLE lane_places (
    endpoint_id TEXT NOT NULL,
    priority    INTEGER NOT NULL,
    first       INTEGER NOT NULL,
    places      TEXT NOT NULL,
    PRIMARY KEY (endpoint_id, priority DESC, first)
) WITHOUT ROWID;

INSERT INTO lane_places (endpoint_id, priority, first, places)
SELECT endpoint_id, priority, min(seq), json_group_array(seq ORDER BY seq) FROM
    (SELECT endpoint_id, priority, seq,
     (row_number() OVER (PARTITION BY endpoint_id, priority ORDER BY seq) - 1) / 128 AS part
     FROM delivery WHERE state IN (0, 1) AND seq <= (SELECT coalesce(max(upto), 0) FROM lane_mark)) AS waiting
GROUP BY endpoint_id, priority, part;

-- What waits, by lane, as far as the mark goes. It begins with the lists, whatever the optimizer thinks of it.
CREATE VIEW lane_waiting AS
SELECT l.endpoint_id AS endpoint_id, l.priority AS priority, l.first AS first, d.seq AS seq, d.message_id AS message_id,
    d.number AS number, d.subscription_id AS subscription_id, d.state AS state, d.attempts AS attempts,
    d.parts_done AS parts_done
FROM lane_places l CROSS JOIN json_each(l.places) p CROSS JOIN delivery d
WHERE d.seq = p.value AND d.state IN (0, 1);
