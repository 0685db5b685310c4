-- How an endpoint fares that is not simply well; no row when it is. `told` says whether its owner was told of a pause.
CREATE TABLE endpoint_health (
    endpoint_id  TEXT COLLATE "C" PRIMARY KEY,
    standing     TEXT COLLATE "C" NOT NULL,
    reason       TEXT COLLATE "C" NOT NULL,
    since        BIGINT NOT NULL,
    broken_since BIGINT,
    until_at     BIGINT,
    failures     BIGINT NOT NULL,
    probes       BIGINT NOT NULL,
    told         BIGINT NOT NULL DEFAULT 0
);

-- A pause that a platform asked for and that reaches further than one endpoint: a host, or an organisation's app. Only a
-- keyed hash of what it reaches is kept.
CREATE TABLE hold (
    scope    BYTEA PRIMARY KEY,
    reason   TEXT COLLATE "C" NOT NULL,
    until_at BIGINT NOT NULL
);

-- Whom to tell when the subscription's endpoint is paused: a subscription (`s:` and its id) or a topic (`t:` and its id).
ALTER TABLE subscription ADD COLUMN fallback TEXT COLLATE "C";
