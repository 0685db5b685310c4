-- Times are milliseconds since 1970 UTC, ids are text, so that both databases hold equal types.

CREATE TABLE project (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE account (
    id            TEXT PRIMARY KEY,
    name          TEXT NOT NULL UNIQUE,
    password_hash TEXT NOT NULL,
    created_at    INTEGER NOT NULL
) WITHOUT ROWID;

-- A key pair that signs requests. The secret is sealed, since a signature can be checked only with its plain value.
CREATE TABLE access_key (
    id            TEXT PRIMARY KEY,
    project_id    TEXT NOT NULL REFERENCES project (id),
    account_id    TEXT NOT NULL REFERENCES account (id),
    sealed_secret BLOB NOT NULL,
    created_at    INTEGER NOT NULL
) WITHOUT ROWID;

-- Only a keyed hash of a token is kept. No end means it is good until it is revoked.
CREATE TABLE token (
    hash       BLOB PRIMARY KEY,
    project_id TEXT NOT NULL REFERENCES project (id),
    account_id TEXT NOT NULL REFERENCES account (id),
    created_at INTEGER NOT NULL,
    expires_at INTEGER
) WITHOUT ROWID;

CREATE TABLE topic (
    id                    TEXT PRIMARY KEY,
    project_id            TEXT NOT NULL REFERENCES project (id),
    name                  TEXT NOT NULL,
    display_name          TEXT NOT NULL,
    enterprise_project_id TEXT NOT NULL,
    created_at            INTEGER NOT NULL,
    updated_at            INTEGER NOT NULL,
    UNIQUE (project_id, name)
) WITHOUT ROWID;

-- Sealed bytes and keyed hashes that must be gone when they are deleted. Rows are only ever appended, and erased by
-- overwriting them with as many zeros: SQLite leaves stale copies of cells behind when it rearranges a page, which no
-- later delete reaches, and neither appending nor overwriting in place rearranges one. No index, no foreign key.
CREATE TABLE sealed (
    seq   INTEGER PRIMARY KEY AUTOINCREMENT,
    bytes BLOB NOT NULL
);

-- One row for each address and app, whoever subscribed it: the lane. `sealed_seq` names the keyed hashes; `hint` is
-- sixteen bits of one of them, too few to tell an address by, to find the row. It goes with its last subscription.
CREATE TABLE endpoint (
    id         TEXT PRIMARY KEY,
    hint       INTEGER NOT NULL,
    sealed_seq INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX endpoint_hint ON endpoint (hint);

-- `sealed_seq` names the address and all that goes with it, under a key of its own that is sealed beside it.
CREATE TABLE subscription (
    id          TEXT PRIMARY KEY,
    topic_id    TEXT NOT NULL REFERENCES topic (id),
    endpoint_id TEXT NOT NULL REFERENCES endpoint (id),
    channel     TEXT NOT NULL,
    protocol    TEXT NOT NULL,
    sealed_seq  INTEGER NOT NULL,
    remark      TEXT NOT NULL,
    state       INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,
    UNIQUE (topic_id, protocol, endpoint_id)
) WITHOUT ROWID;
CREATE INDEX subscription_endpoint ON subscription (endpoint_id);

CREATE TABLE message (
    id         TEXT PRIMARY KEY,
    project_id TEXT NOT NULL,
    topic_id   TEXT NOT NULL,
    topic_name TEXT NOT NULL,
    content    TEXT NOT NULL,
    priority   INTEGER NOT NULL,
    locale     TEXT NOT NULL,
    deliveries INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX message_project ON message (project_id, id);

-- A delivery. The columns from `started_at` on tell of its latest attempt; a first success has no other record.
CREATE TABLE delivery (
    seq             INTEGER PRIMARY KEY AUTOINCREMENT,
    message_id      TEXT NOT NULL,
    number          INTEGER NOT NULL,
    subscription_id TEXT NOT NULL,
    endpoint_id     TEXT NOT NULL,
    channel         TEXT NOT NULL,
    priority        INTEGER NOT NULL,
    state           INTEGER NOT NULL,
    due_at          INTEGER NOT NULL,
    attempts        INTEGER NOT NULL,
    parts_done      INTEGER NOT NULL,
    started_at      INTEGER,
    elapsed_ms      INTEGER,
    platform_code   TEXT,
    platform_text   TEXT,
    merged          INTEGER NOT NULL DEFAULT 1,
    UNIQUE (message_id, number)
);
CREATE INDEX delivery_lane ON delivery (endpoint_id, priority DESC, seq) WHERE state IN (0, 1);
CREATE INDEX delivery_sending ON delivery (seq) WHERE state = 1;

CREATE TABLE attempt (
    message_id    TEXT NOT NULL,
    number        INTEGER NOT NULL,
    attempt       INTEGER NOT NULL,
    outcome       TEXT NOT NULL,
    reason        TEXT NOT NULL,
    platform_code TEXT,
    platform_text TEXT,
    started_at    INTEGER NOT NULL,
    elapsed_ms    INTEGER NOT NULL,
    merged        INTEGER NOT NULL,
    PRIMARY KEY (message_id, number, attempt)
) WITHOUT ROWID;
