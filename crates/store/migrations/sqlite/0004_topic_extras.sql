-- What a subscription wants, as one JSON list; no row when it wants everything.
CREATE TABLE filter_policy (
    subscription_id TEXT PRIMARY KEY REFERENCES subscription (id) ON DELETE CASCADE,
    policies        TEXT NOT NULL
) WITHOUT ROWID;

-- One variant of a template; `placeholders` is a JSON list, so that lists of templates need not read their texts.
CREATE TABLE template (
    id           TEXT PRIMARY KEY,
    project_id   TEXT NOT NULL REFERENCES project (id),
    name         TEXT NOT NULL,
    protocol     TEXT NOT NULL,
    channel      TEXT,
    placeholders TEXT NOT NULL,
    content      TEXT NOT NULL,
    created_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL,
    UNIQUE (project_id, name, protocol)
);

CREATE TABLE topic_attribute (
    topic_id TEXT NOT NULL REFERENCES topic (id) ON DELETE CASCADE,
    name     TEXT NOT NULL,
    value    TEXT NOT NULL,
    PRIMARY KEY (topic_id, name)
) WITHOUT ROWID;

CREATE TABLE topic_tag (
    topic_id TEXT NOT NULL REFERENCES topic (id) ON DELETE CASCADE,
    key      TEXT NOT NULL,
    value    TEXT NOT NULL,
    PRIMARY KEY (topic_id, key)
) WITHOUT ROWID;
