-- A company's own app on a platform. `sealed_seq` names its credentials. `range` is what it let us see at the last update,
-- as JSON.
CREATE TABLE connection (
    id         TEXT COLLATE "C" PRIMARY KEY,
    project_id TEXT COLLATE "C" NOT NULL REFERENCES project (id),
    name       TEXT COLLATE "C" NOT NULL,
    platform   TEXT COLLATE "C" NOT NULL,
    sealed_seq BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT,
    range      TEXT COLLATE "C",
    UNIQUE (project_id, name)
);

-- Somebody, or a chat, that an app reaches: its id is the lane that messages to it take. `key` is the platform's id in the
-- form it is compared in. `state`: 0 there, 1 gone, 2 only named by somebody and never read.
CREATE TABLE office_recipient (
    id            TEXT COLLATE "C" PRIMARY KEY,
    connection_id TEXT COLLATE "C" NOT NULL REFERENCES connection (id),
    kind          TEXT COLLATE "C" NOT NULL,
    key           TEXT COLLATE "C" NOT NULL,
    platform_id   TEXT COLLATE "C" NOT NULL,
    open_id       TEXT COLLATE "C",
    union_id      TEXT COLLATE "C",
    name          TEXT COLLATE "C" NOT NULL,
    about         TEXT COLLATE "C" NOT NULL,
    state         BIGINT NOT NULL,
    first_seen    BIGINT NOT NULL,
    last_seen     BIGINT NOT NULL,
    gone_at       BIGINT,
    UNIQUE (connection_id, kind, key)
);
CREATE INDEX office_recipient_open ON office_recipient (connection_id, open_id);
CREATE INDEX office_recipient_union ON office_recipient (connection_id, union_id);

CREATE TABLE office_department (
    connection_id TEXT COLLATE "C" NOT NULL REFERENCES connection (id),
    platform_id   TEXT COLLATE "C" NOT NULL,
    other_id      TEXT COLLATE "C",
    parent        TEXT COLLATE "C",
    name          TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (connection_id, platform_id)
);

CREATE TABLE office_membership (
    connection_id TEXT COLLATE "C" NOT NULL REFERENCES connection (id),
    department    TEXT COLLATE "C" NOT NULL,
    recipient_id  TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (connection_id, department, recipient_id)
);
CREATE INDEX office_membership_recipient ON office_membership (recipient_id);

-- One reading of a directory. What it reads waits in `office_staged` until it is the directory, in one transaction.
CREATE TABLE office_run (
    id            TEXT COLLATE "C" PRIMARY KEY,
    connection_id TEXT COLLATE "C" NOT NULL REFERENCES connection (id),
    state         TEXT COLLATE "C" NOT NULL,
    caused_by     TEXT COLLATE "C" NOT NULL,
    started_at    BIGINT NOT NULL,
    ended_at      BIGINT,
    calls         BIGINT NOT NULL,
    departments   BIGINT NOT NULL,
    members       BIGINT NOT NULL,
    added         BIGINT NOT NULL,
    changed       BIGINT NOT NULL,
    moved         BIGINT NOT NULL,
    gone          BIGINT NOT NULL,
    missing       TEXT COLLATE "C" NOT NULL,
    range         TEXT COLLATE "C",
    error_en      TEXT COLLATE "C",
    error_zh      TEXT COLLATE "C",
    cancelled     BIGINT NOT NULL
);
CREATE INDEX office_run_connection ON office_run (connection_id, started_at);
CREATE INDEX office_run_state ON office_run (state);

CREATE TABLE office_staged (
    run_id TEXT COLLATE "C" NOT NULL,
    kind   TEXT COLLATE "C" NOT NULL,
    key    TEXT COLLATE "C" NOT NULL,
    value  TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (run_id, kind, key)
);

-- A group of people of our own: static members, and departments with or without those below them.
CREATE TABLE office_group (
    id            TEXT COLLATE "C" PRIMARY KEY,
    connection_id TEXT COLLATE "C" NOT NULL REFERENCES connection (id),
    name          TEXT COLLATE "C" NOT NULL,
    created_at    BIGINT NOT NULL,
    UNIQUE (connection_id, name)
);

-- `kind`: `member`, `department` (with those below it) or `department_only`.
CREATE TABLE office_group_part (
    group_id    TEXT COLLATE "C" NOT NULL REFERENCES office_group (id) ON DELETE CASCADE,
    kind        TEXT COLLATE "C" NOT NULL,
    platform_id TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (group_id, kind, platform_id)
);
