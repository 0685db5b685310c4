-- Images and files that go with messages. `id` is a digest of project and content; `whole` is 0 until all of it is there;
-- `pushed` tells whether a push has named it, `used_at` when that was last, or when it came.
CREATE TABLE attachment (
    id         TEXT COLLATE "C" PRIMARY KEY,
    project_id TEXT COLLATE "C" NOT NULL,
    bytes      BIGINT NOT NULL,
    picture    TEXT COLLATE "C",
    width      BIGINT,
    height     BIGINT,
    whole      BIGINT NOT NULL,
    pushed     BIGINT NOT NULL,
    used_at    BIGINT NOT NULL
);
CREATE INDEX attachment_project ON attachment (project_id);
CREATE INDEX attachment_used ON attachment (pushed, used_at);

-- Their bytes, in pieces, so that no write and no read is large.
CREATE TABLE attachment_piece (
    attachment_id TEXT COLLATE "C" NOT NULL,
    number        BIGINT NOT NULL,
    bytes         BYTEA NOT NULL,
    PRIMARY KEY (attachment_id, number)
);
