-- A company's own app on a platform. `sealed_seq` names its credentials. `range` is what it let us see at the last update,
-- as JSON.
CREATE TABLE connection (
    id         TEXT PRIMARY KEY,
    project_id TEXT NOT NULL REFERENCES project (id),
    name       TEXT NOT NULL,
    platform   TEXT NOT NULL,
    sealed_seq INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER,
    range      TEXT,
    UNIQUE (project_id, name)
);

-- Somebody, or a chat, that an app reaches: its id is the lane that messages to it take. `key` is the platform's id in the
-- form it is compared in. `state`: 0 there, 1 gone, 2 only named by somebody and never read.
CREATE TABLE office_recipient (
    id            TEXT PRIMARY KEY,
    connection_id TEXT NOT NULL REFERENCES connection (id),
    kind          TEXT NOT NULL,
    key           TEXT NOT NULL,
    platform_id   TEXT NOT NULL,
    open_id       TEXT,
    union_id      TEXT,
    name          TEXT NOT NULL,
    about         TEXT NOT NULL,
    state         INTEGER NOT NULL,
    first_seen    INTEGER NOT NULL,
    last_seen     INTEGER NOT NULL,
    gone_at       INTEGER,
    UNIQUE (connection_id, kind, key)
);
CREATE INDEX office_recipient_open ON office_recipient (connection_id, open_id);
CREATE INDEX office_recipient_union ON office_recipient (connection_id, union_id);

CREATE TABLE office_department (
    connection_id TEXT NOT NULL REFERENCES connection (id),
    platform_id   TEXT NOT NULL,
    other_id      TEXT,
    parent        TEXT,
    name          TEXT NOT NULL,
    PRIMARY KEY (connection_id, platform_id)
);

CREATE TABLE office_membership (
    connection_id TEXT NOT NULL REFERENCES connection (id),
    department    TEXT NOT NULL,
    recipient_id  TEXT NOT NULL,
    PRIMARY KEY (connection_id, department, recipient_id)
);
CREATE INDEX office_membership_recipient ON office_membership (recipient_id);

-- One reading of a directory. What it reads waits in `office_staged` until it is the directory, in one transaction.
CREATE TABLE office_run (
    id            TEXT PRIMARY KEY,
    connection_id TEXT NOT NULL REFERENCES connection (id),
    state         TEXT NOT NULL,
    caused_by     TEXT NOT NULL,
    started_at    INTEGER NOT NULL,
    ended_at      INTEGER,
    calls         INTEGER NOT NULL,
    departments   INTEGER NOT NULL,
    members       INTEGER NOT NULL,
    added         INTEGER NOT NULL,
    changed       INTEGER NOT NULL,
    moved         INTEGER NOT NULL,
    gone          INTEGER NOT NULL,
    missing       TEXT NOT NULL,
    range         TEXT,
    error_en      TEXT,
    error_zh      TEXT,
    cancelled     INTEGER NOT NULL
);
CREATE INDEX office_run_connection ON office_run (connection_id, started_at);
CREATE INDEX office_run_state ON office_run (state);

CREATE TABLE office_staged (
    run_id TEXT NOT NULL,
    kind   TEXT NOT NULL,
    key    TEXT NOT NULL,
    value  TEXT NOT NULL,
    PRIMARY KEY (run_id, kind, key)
);

-- A group of people of our own: static members, and departments with or without those below them.
CREATE TABLE office_group (
    id            TEXT PRIMARY KEY,
    connection_id TEXT NOT NULL REFERENCES connection (id),
    name          TEXT NOT NULL,
    created_at    INTEGER NOT NULL,
    UNIQUE (connection_id, name)
);

-- `kind`: `member`, `department` (with those below it) or `department_only`.
CREATE TABLE office_group_part (
    group_id    TEXT NOT NULL REFERENCES office_group (id) ON DELETE CASCADE,
    kind        TEXT NOT NULL,
    platform_id TEXT NOT NULL,
    PRIMARY KEY (group_id, kind, platform_id)
);
