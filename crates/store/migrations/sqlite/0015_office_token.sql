-- Access tokens of office apps, which the servers of a database share: one of them fetches, the others use what it got.
-- `key` is a keyed hash of the app's credentials; `asked_until` is when a server that began to fetch is given up.
CREATE TABLE office_token (
    key         BLOB PRIMARY KEY,
    sealed      BLOB,
    renew_at    INTEGER NOT NULL,
    asked_until INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX office_token_renew ON office_token (renew_at);
