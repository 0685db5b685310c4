-- Somebody with several ways to be reached, to be subscribed to topics as a whole. `sealed_seq` names the contacts, with
-- their addresses and all that goes with them.
CREATE TABLE subscription_user (
    id            TEXT PRIMARY KEY,
    project_id    TEXT NOT NULL REFERENCES project (id),
    name          TEXT NOT NULL,
    grouping_name TEXT NOT NULL,
    sealed_seq    INTEGER NOT NULL,
    created_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX subscription_user_project ON subscription_user (project_id, created_at, id);
