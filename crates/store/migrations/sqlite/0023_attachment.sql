-- Images and files that go with messages. `id` is a digest of project and content; `whole` is 0 until all of it is there;
-- `pushed` tells whether a push has named it, `used_at` when that was last, or when it came.
CREATE TABLE attachment (
    id         TEXT PRIMARY KEY,
    project_id TEXT NOT NULL,
    bytes      INTEGER NOT NULL,
    picture    TEXT,
    width      INTEGER,
    height     INTEGER,
    whole      INTEGER NOT NULL,
    pushed     INTEGER NOT NULL,
    used_at    INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX attachment_project ON attachment (project_id);
CREATE INDEX attachment_used ON attachment (pushed, used_at);

-- Their bytes, in pieces, so that no write and no read is large.
CREATE TABLE attachment_piece (
    attachment_id TEXT NOT NULL,
    number        INTEGER NOT NULL,
    bytes         BLOB NOT NULL,
    PRIMARY KEY (attachment_id, number)
);
