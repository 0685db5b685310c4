-- A delivery of an office app that was taken back.
CREATE TABLE office_recall (
    message_id  TEXT COLLATE "C" NOT NULL,
    number      BIGINT NOT NULL,
    recalled_at BIGINT NOT NULL,
    PRIMARY KEY (message_id, number)
);
CREATE INDEX office_recall_time ON office_recall (recalled_at);
