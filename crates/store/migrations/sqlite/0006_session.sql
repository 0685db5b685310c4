-- Sessions of the console. Of the cookie's secret only a keyed hash is kept, and one of the account's password hash at
-- sign-in, so that every session ends where the password changes, whoever changes it.
CREATE TABLE session (
    hash          BLOB PRIMARY KEY,
    project_id    TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    account_id    TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    password_mark BLOB NOT NULL,
    created_at    INTEGER NOT NULL,
    seen_at       INTEGER NOT NULL,
    expires_at    INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX session_end ON session (expires_at);
