-- What waits, by lane. Here an index of the deliveries themselves says it (`delivery_lane`, ADR 36); in a file, lists beside them.
-- The column `in_lane` says nothing any more but to older programs, for which it is 1.
CREATE VIEW lane_waiting AS
SELECT endpoint_id, priority, seq AS first, seq, message_id, number, subscription_id, state, attempts, parts_done
FROM delivery WHERE state IN (0, 1);
