-- A delivery of an office app that was taken back.
CREATE TABLE office_recall (
    message_id  TEXT NOT NULL,
    number      INTEGER NOT NULL,
    recalled_at INTEGER NOT NULL,
    PRIMARY KEY (message_id, number)
);
CREATE INDEX office_recall_time ON office_recall (recalled_at);
