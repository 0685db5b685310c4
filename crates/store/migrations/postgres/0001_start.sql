-- Times are milliseconds since 1970 UTC, ids are text, so that both databases hold equal types. Texts are compared byte
-- by byte, as SQLite does it, whatever the database's own order is.

CREATE TABLE project (
    id         TEXT COLLATE "C" PRIMARY KEY,
    name       TEXT COLLATE "C" NOT NULL UNIQUE,
    created_at BIGINT NOT NULL
);

CREATE TABLE account (
    id            TEXT COLLATE "C" PRIMARY KEY,
    name          TEXT COLLATE "C" NOT NULL UNIQUE,
    password_hash TEXT COLLATE "C" NOT NULL,
    created_at    BIGINT NOT NULL
);

-- A key pair that signs requests. The secret is sealed, since a signature can be checked only with its plain value.
CREATE TABLE access_key (
    id            TEXT COLLATE "C" PRIMARY KEY,
    project_id    TEXT COLLATE "C" NOT NULL REFERENCES project (id),
    account_id    TEXT COLLATE "C" NOT NULL REFERENCES account (id),
    sealed_secret BYTEA NOT NULL,
    created_at    BIGINT NOT NULL
);

-- Only a keyed hash of a token is kept. No end means it is good until it is revoked.
CREATE TABLE token (
    hash       BYTEA PRIMARY KEY,
    project_id TEXT COLLATE "C" NOT NULL REFERENCES project (id),
    account_id TEXT COLLATE "C" NOT NULL REFERENCES account (id),
    created_at BIGINT NOT NULL,
    expires_at BIGINT
);

CREATE TABLE topic (
    id                    TEXT COLLATE "C" PRIMARY KEY,
    project_id            TEXT COLLATE "C" NOT NULL REFERENCES project (id),
    name                  TEXT COLLATE "C" NOT NULL,
    display_name          TEXT COLLATE "C" NOT NULL,
    enterprise_project_id TEXT COLLATE "C" NOT NULL,
    created_at            BIGINT NOT NULL,
    updated_at            BIGINT NOT NULL,
    UNIQUE (project_id, name)
);

-- Sealed bytes and keyed hashes that must be gone when they are deleted: a part that lost one is written anew. Sixteen
-- parts, so that little is written each time. No statistics, since those are samples of the bytes; no foreign key.
CREATE SEQUENCE sealed_seq AS BIGINT;
CREATE TABLE sealed (
    seq   BIGINT NOT NULL DEFAULT nextval('sealed_seq') PRIMARY KEY,
    bytes BYTEA NOT NULL
) PARTITION BY HASH (seq);
CREATE TABLE sealed_0 PARTITION OF sealed FOR VALUES WITH (MODULUS 16, REMAINDER 0);
ALTER TABLE sealed_0 ALTER COLUMN bytes SET STATISTICS 0;
ALTER TABLE sealed_0 ALTER COLUMN bytes SET STORAGE EXTERNAL;
CREATE TABLE sealed_1 PARTITION OF sealed FOR VALUES WITH (MODULUS 16, REMAINDER 1);
ALTER TABLE sealed_1 ALTER COLUMN bytes SET STATISTICS 0;
ALTER TABLE sealed_1 ALTER COLUMN bytes SET STORAGE EXTERNAL;
CREATE TABLE sealed_2 PARTITION OF sealed FOR VALUES WITH (MODULUS 16, REMAINDER 2);
ALTER TABLE sealed_2 ALTER COLUMN bytes SET STATISTICS 0;
ALTER TABLE sealed_2 ALTER COLUMN bytes SET STORAGE EXTERNAL;
CREATE TABLE sealed_3 PARTITION OF sealed FOR VALUES WITH (MODULUS 16, REMAINDER 3);
ALTER TABLE sealed_3 ALTER COLUMN bytes SET STATISTICS 0;
ALTER TABLE sealed_3 ALTER COLUMN bytes SET STORAGE EXTERNAL;
CREATE TABLE sealed_4 PARTITION OF sealed FOR VALUES WITH (MODULUS 16, REMAINDER 4);
ALTER TABLE sealed_4 ALTER COLUMN bytes SET STATISTICS 0;
ALTER TABLE sealed_4 ALTER COLUMN bytes SET STORAGE EXTERNAL;
CREATE TABLE sealed_5 PARTITION OF sealed FOR VALUES WITH (MODULUS 16, REMAINDER 5);
ALTER TABLE sealed_5 ALTER COLUMN bytes SET STATISTICS 0;
ALTER TABLE sealed_5 ALTER COLUMN bytes SET STORAGE EXTERNAL;
CREATE TABLE sealed_6 PARTITION OF sealed FOR VALUES WITH (MODULUS 16, REMAINDER 6);
ALTER TABLE sealed_6 ALTER COLUMN bytes SET STATISTICS 0;
ALTER TABLE sealed_6 ALTER COLUMN bytes SET STORAGE EXTERNAL;
CREATE TABLE sealed_7 PARTITION OF sealed FOR VALUES WITH (MODULUS 16, REMAINDER 7);
ALTER TABLE sealed_7 ALTER COLUMN bytes SET STATISTICS 0;
ALTER TABLE sealed_7 ALTER COLUMN bytes SET STORAGE EXTERNAL;
CREATE TABLE sealed_8 PARTITION OF sealed FOR VALUES WITH (MODULUS 16, REMAINDER 8);
ALTER TABLE sealed_8 ALTER COLUMN bytes SET STATISTICS 0;
ALTER TABLE sealed_8 ALTER COLUMN bytes SET STORAGE EXTERNAL;
CREATE TABLE sealed_9 PARTITION OF sealed FOR VALUES WITH (MODULUS 16, REMAINDER 9);
ALTER TABLE sealed_9 ALTER COLUMN bytes SET STATISTICS 0;
ALTER TABLE sealed_9 ALTER COLUMN bytes SET STORAGE EXTERNAL;
CREATE TABLE sealed_10 PARTITION OF sealed FOR VALUES WITH (MODULUS 16, REMAINDER 10);
ALTER TABLE sealed_10 ALTER COLUMN bytes SET STATISTICS 0;
ALTER TABLE sealed_10 ALTER COLUMN bytes SET STORAGE EXTERNAL;
CREATE TABLE sealed_11 PARTITION OF sealed FOR VALUES WITH (MODULUS 16, REMAINDER 11);
ALTER TABLE sealed_11 ALTER COLUMN bytes SET STATISTICS 0;
ALTER TABLE sealed_11 ALTER COLUMN bytes SET STORAGE EXTERNAL;
CREATE TABLE sealed_12 PARTITION OF sealed FOR VALUES WITH (MODULUS 16, REMAINDER 12);
ALTER TABLE sealed_12 ALTER COLUMN bytes SET STATISTICS 0;
ALTER TABLE sealed_12 ALTER COLUMN bytes SET STORAGE EXTERNAL;
CREATE TABLE sealed_13 PARTITION OF sealed FOR VALUES WITH (MODULUS 16, REMAINDER 13);
ALTER TABLE sealed_13 ALTER COLUMN bytes SET STATISTICS 0;
ALTER TABLE sealed_13 ALTER COLUMN bytes SET STORAGE EXTERNAL;
CREATE TABLE sealed_14 PARTITION OF sealed FOR VALUES WITH (MODULUS 16, REMAINDER 14);
ALTER TABLE sealed_14 ALTER COLUMN bytes SET STATISTICS 0;
ALTER TABLE sealed_14 ALTER COLUMN bytes SET STORAGE EXTERNAL;
CREATE TABLE sealed_15 PARTITION OF sealed FOR VALUES WITH (MODULUS 16, REMAINDER 15);
ALTER TABLE sealed_15 ALTER COLUMN bytes SET STATISTICS 0;
ALTER TABLE sealed_15 ALTER COLUMN bytes SET STORAGE EXTERNAL;

-- Parts of `sealed` that hold bytes of deleted rows, and since which transaction.
CREATE TABLE erased (
    note        BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    part        TEXT COLLATE "C" NOT NULL,
    transaction TEXT COLLATE "C" NOT NULL
);

-- One row for each address and app, whoever subscribed it: the lane. `sealed_seq` names the keyed hashes; `hint` is
-- sixteen bits of one of them, too few to tell an address by, to find the row. It goes with its last subscription.
CREATE TABLE endpoint (
    id         TEXT COLLATE "C" PRIMARY KEY,
    hint       BIGINT NOT NULL,
    sealed_seq BIGINT NOT NULL
);
CREATE INDEX endpoint_hint ON endpoint (hint);

-- `sealed_seq` names the address and all that goes with it, under a key of its own that is sealed beside it.
CREATE TABLE subscription (
    id          TEXT COLLATE "C" PRIMARY KEY,
    topic_id    TEXT COLLATE "C" NOT NULL REFERENCES topic (id),
    endpoint_id TEXT COLLATE "C" NOT NULL REFERENCES endpoint (id),
    channel     TEXT COLLATE "C" NOT NULL,
    protocol    TEXT COLLATE "C" NOT NULL,
    sealed_seq  BIGINT NOT NULL,
    remark      TEXT COLLATE "C" NOT NULL,
    state       BIGINT NOT NULL,
    created_at  BIGINT NOT NULL,
    UNIQUE (topic_id, protocol, endpoint_id)
);
CREATE INDEX subscription_endpoint ON subscription (endpoint_id);

CREATE TABLE message (
    id         TEXT COLLATE "C" PRIMARY KEY,
    project_id TEXT COLLATE "C" NOT NULL,
    topic_id   TEXT COLLATE "C" NOT NULL,
    topic_name TEXT COLLATE "C" NOT NULL,
    content    TEXT COLLATE "C" NOT NULL,
    priority   BIGINT NOT NULL,
    locale     TEXT COLLATE "C" NOT NULL,
    deliveries BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX message_project ON message (project_id, id);

-- A delivery. The columns from `started_at` on tell of its latest attempt; a first success has no other record.
CREATE TABLE delivery (
    seq             BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    message_id      TEXT COLLATE "C" NOT NULL,
    number          BIGINT NOT NULL,
    subscription_id TEXT COLLATE "C" NOT NULL,
    endpoint_id     TEXT COLLATE "C" NOT NULL,
    channel         TEXT COLLATE "C" NOT NULL,
    priority        BIGINT NOT NULL,
    state           BIGINT NOT NULL,
    due_at          BIGINT NOT NULL,
    attempts        BIGINT NOT NULL,
    parts_done      BIGINT NOT NULL,
    started_at      BIGINT,
    elapsed_ms      BIGINT,
    platform_code   TEXT COLLATE "C",
    platform_text   TEXT COLLATE "C",
    merged          BIGINT NOT NULL DEFAULT 1,
    UNIQUE (message_id, number)
);
CREATE INDEX delivery_lane ON delivery (endpoint_id, priority DESC, seq) WHERE state IN (0, 1);
CREATE INDEX delivery_sending ON delivery (seq) WHERE state = 1;

CREATE TABLE attempt (
    message_id    TEXT COLLATE "C" NOT NULL,
    number        BIGINT NOT NULL,
    attempt       BIGINT NOT NULL,
    outcome       TEXT COLLATE "C" NOT NULL,
    reason        TEXT COLLATE "C" NOT NULL,
    platform_code TEXT COLLATE "C",
    platform_text TEXT COLLATE "C",
    started_at    BIGINT NOT NULL,
    elapsed_ms    BIGINT NOT NULL,
    merged        BIGINT NOT NULL,
    PRIMARY KEY (message_id, number, attempt)
);
