-- The links that confirm subscriptions. Of a link's token only a keyed hash is kept; the token itself is derived from
-- the message that carries it, so that a message sent again after a crash carries the same one.
CREATE TABLE confirmation (
    hash            BYTEA PRIMARY KEY,
    subscription_id TEXT COLLATE "C" NOT NULL,
    expires_at      BIGINT NOT NULL
);
CREATE INDEX confirmation_subscription ON confirmation (subscription_id);
CREATE INDEX confirmation_end ON confirmation (expires_at);

-- When confirmations were sent to an address, by 24 bits of a keyed hash of it, too few to tell the address by: outlives
-- the subscription, so that nobody can flood an address by subscribing and removing it in turn. Forgotten after two days.
CREATE TABLE confirmation_sent (
    hint    BIGINT NOT NULL,
    sent_at BIGINT NOT NULL
);
CREATE INDEX confirmation_sent_hint ON confirmation_sent (hint, sent_at);
CREATE INDEX confirmation_sent_at ON confirmation_sent (sent_at);

-- The key that signs what web endpoints get, with its certificate. The newest signs; all certificates are served.
CREATE TABLE signing_key (
    id          TEXT COLLATE "C" PRIMARY KEY,
    sealed_key  BYTEA NOT NULL,
    certificate TEXT COLLATE "C" NOT NULL,
    created_at  BIGINT NOT NULL
);
