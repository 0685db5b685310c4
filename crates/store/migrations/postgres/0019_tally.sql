-- What happened within each five minutes, for charts: what attempts came back as, by channel, each delivery in a post
-- counted; and messages, under no channel. `slot` is the moment divided by five minutes.
CREATE TABLE tally (
    project_id TEXT COLLATE "C" NOT NULL,
    slot       BIGINT NOT NULL,
    channel    TEXT COLLATE "C" NOT NULL,
    what       TEXT COLLATE "C" NOT NULL,
    count      BIGINT NOT NULL,
    PRIMARY KEY (project_id, slot, channel, what)
);
CREATE INDEX tally_slot ON tally (slot);
