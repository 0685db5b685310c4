-- Sessions of the console. Of the cookie's secret only a keyed hash is kept, and one of the account's password hash at
-- sign-in, so that every session ends where the password changes, whoever changes it.
CREATE TABLE session (
    hash          BYTEA PRIMARY KEY,
    project_id    TEXT COLLATE "C" NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    account_id    TEXT COLLATE "C" NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    password_mark BYTEA NOT NULL,
    created_at    BIGINT NOT NULL,
    seen_at       BIGINT NOT NULL,
    expires_at    BIGINT NOT NULL
);
CREATE INDEX session_end ON session (expires_at);
