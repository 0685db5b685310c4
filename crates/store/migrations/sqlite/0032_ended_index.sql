-- What says which deliveries are in an index is worked out for each that is written. SQLite makes a table for a list of three,
-- twice for a change; a comparison costs next to nothing.
DROP INDEX delivery_ended;
CREATE INDEX delivery_ended ON delivery (seq) WHERE state > 2;
