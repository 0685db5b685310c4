-- Somebody with several ways to be reached, to be subscribed to topics as a whole. `sealed_seq` names the contacts, with
-- their addresses and all that goes with them.
CREATE TABLE subscription_user (
    id            TEXT COLLATE "C" PRIMARY KEY,
    project_id    TEXT COLLATE "C" NOT NULL REFERENCES project (id),
    name          TEXT COLLATE "C" NOT NULL,
    grouping_name TEXT COLLATE "C" NOT NULL,
    sealed_seq    BIGINT NOT NULL,
    created_at    BIGINT NOT NULL,
    updated_at    BIGINT NOT NULL
);
CREATE INDEX subscription_user_project ON subscription_user (project_id, created_at, id);
