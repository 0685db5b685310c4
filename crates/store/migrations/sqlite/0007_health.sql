-- How an endpoint fares that is not simply well; no row when it is. `told` says whether its owner was told of a pause.
CREATE TABLE endpoint_health (
    endpoint_id  TEXT PRIMARY KEY,
    standing     TEXT NOT NULL,
    reason       TEXT NOT NULL,
    since        INTEGER NOT NULL,
    broken_since INTEGER,
    until_at     INTEGER,
    failures     INTEGER NOT NULL,
    probes       INTEGER NOT NULL,
    told         INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;

-- A pause that a platform asked for and that reaches further than one endpoint: a host, or an organisation's app. Only a
-- keyed hash of what it reaches is kept.
CREATE TABLE hold (
    scope    BLOB PRIMARY KEY,
    reason   TEXT NOT NULL,
    until_at INTEGER NOT NULL
) WITHOUT ROWID;

-- Whom to tell when the subscription's endpoint is paused: a subscription (`s:` and its id) or a topic (`t:` and its id).
ALTER TABLE subscription ADD COLUMN fallback TEXT;
