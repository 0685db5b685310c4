-- What happened within each five minutes, for charts: what attempts came back as, by channel, each delivery in a post
-- counted; and messages, under no channel. `slot` is the moment divided by five minutes.
CREATE TABLE tally (
    project_id TEXT NOT NULL,
    slot       INTEGER NOT NULL,
    channel    TEXT NOT NULL,
    what       TEXT NOT NULL,
    count      INTEGER NOT NULL,
    PRIMARY KEY (project_id, slot, channel, what)
) WITHOUT ROWID;
CREATE INDEX tally_slot ON tally (slot);
