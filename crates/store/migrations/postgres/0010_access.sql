-- Who may do what. An account has one role in each project that it belongs to; `topics` are the names and patterns,
-- with commas between, that a publisher may publish to. The operator may make projects. Accounts from before this were
-- the one administrator.
ALTER TABLE account ADD COLUMN operator BIGINT NOT NULL DEFAULT 0;
UPDATE account SET operator = 1;

CREATE TABLE membership (
    project_id TEXT COLLATE "C" NOT NULL REFERENCES project (id),
    account_id TEXT COLLATE "C" NOT NULL REFERENCES account (id),
    role       TEXT COLLATE "C" NOT NULL,
    topics     TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, account_id)
);
CREATE INDEX membership_account ON membership (account_id);
INSERT INTO membership (project_id, account_id, role, topics, created_at)
    SELECT p.id, a.id, 'administrator', '', a.created_at FROM project p CROSS JOIN account a;

-- A key or token may have a narrower role than its account; none means the account's own.
ALTER TABLE access_key ADD COLUMN note TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE access_key ADD COLUMN role TEXT COLLATE "C";
ALTER TABLE access_key ADD COLUMN topics TEXT COLLATE "C" NOT NULL DEFAULT '';
CREATE INDEX access_key_account ON access_key (project_id, account_id);

-- `id` names a token where the token itself must not be shown. `signed_in` is 1 where a password made it.
ALTER TABLE token ADD COLUMN id TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE token ADD COLUMN note TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE token ADD COLUMN role TEXT COLLATE "C";
ALTER TABLE token ADD COLUMN topics TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE token ADD COLUMN signed_in BIGINT NOT NULL DEFAULT 0;
UPDATE token SET id = replace(gen_random_uuid()::text, '-', '');
UPDATE token SET signed_in = 1 WHERE expires_at IS NOT NULL;
CREATE UNIQUE INDEX token_id ON token (id);
CREATE INDEX token_account ON token (project_id, account_id);

-- Who published it. None: from before this, or written by the service itself.
ALTER TABLE message ADD COLUMN account_id TEXT COLLATE "C";

-- Who changed what. Names stand as they were: what they name may be gone.
CREATE TABLE audit (
    id           TEXT COLLATE "C" PRIMARY KEY,
    project_id   TEXT COLLATE "C" NOT NULL,
    account_id   TEXT COLLATE "C" NOT NULL,
    account_name TEXT COLLATE "C" NOT NULL,
    credential   TEXT COLLATE "C" NOT NULL,
    deed         TEXT COLLATE "C" NOT NULL,
    what         TEXT COLLATE "C" NOT NULL,
    detail       TEXT COLLATE "C" NOT NULL,
    created_at   BIGINT NOT NULL
);
CREATE INDEX audit_project ON audit (project_id, id);
