-- Access tokens of office apps, which the servers of a database share: one of them fetches, the others use what it got.
-- `key` is a keyed hash of the app's credentials; `asked_until` is when a server that began to fetch is given up.
CREATE TABLE office_token (
    key         BYTEA PRIMARY KEY,
    sealed      BYTEA,
    renew_at    BIGINT NOT NULL,
    asked_until BIGINT NOT NULL
);
CREATE INDEX office_token_renew ON office_token (renew_at);
