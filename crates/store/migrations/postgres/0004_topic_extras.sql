-- What a subscription wants, as one JSON list; no row when it wants everything.
CREATE TABLE filter_policy (
    subscription_id TEXT COLLATE "C" PRIMARY KEY REFERENCES subscription (id) ON DELETE CASCADE,
    policies        TEXT COLLATE "C" NOT NULL
);

-- One variant of a template; `placeholders` is a JSON list, so that lists of templates need not read their texts.
CREATE TABLE template (
    id           TEXT COLLATE "C" PRIMARY KEY,
    project_id   TEXT COLLATE "C" NOT NULL REFERENCES project (id),
    name         TEXT COLLATE "C" NOT NULL,
    protocol     TEXT COLLATE "C" NOT NULL,
    channel      TEXT COLLATE "C",
    placeholders TEXT COLLATE "C" NOT NULL,
    content      TEXT COLLATE "C" NOT NULL,
    created_at   BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL,
    UNIQUE (project_id, name, protocol)
);

CREATE TABLE topic_attribute (
    topic_id TEXT COLLATE "C" NOT NULL REFERENCES topic (id) ON DELETE CASCADE,
    name     TEXT COLLATE "C" NOT NULL,
    value    TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (topic_id, name)
);

CREATE TABLE topic_tag (
    topic_id TEXT COLLATE "C" NOT NULL REFERENCES topic (id) ON DELETE CASCADE,
    key      TEXT COLLATE "C" NOT NULL,
    value    TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (topic_id, key)
);
