-- The oldest version that can serve a store in which this migration is done: programs of it and of all later versions
-- may run on it beside each other. 0 where nobody said so.
ALTER TABLE migration ADD COLUMN served_from INTEGER NOT NULL DEFAULT 0;

-- The version of the program that a server runs.
ALTER TABLE node ADD COLUMN version INTEGER NOT NULL DEFAULT 0;
