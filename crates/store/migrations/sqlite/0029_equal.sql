-- For how many seconds a topic sends nothing that says the same again; 0: it sends everything.
ALTER TABLE topic ADD COLUMN suppress_s INTEGER NOT NULL DEFAULT 0;

-- What was sent to such a topic last, by a keyed hash of its content, and as which message.
CREATE TABLE equal_content (
    topic_id   TEXT NOT NULL,
    hash       BLOB NOT NULL,
    message_id TEXT NOT NULL,
    sent_at    INTEGER NOT NULL,
    ends_at    INTEGER NOT NULL,
    PRIMARY KEY (topic_id, hash)
) WITHOUT ROWID;
CREATE INDEX equal_content_ends ON equal_content (ends_at);

-- The message that this one says the same as, which is why it went to nobody.
ALTER TABLE message ADD COLUMN equal_to TEXT;
CREATE INDEX message_equal_to ON message (equal_to) WHERE equal_to IS NOT NULL;
