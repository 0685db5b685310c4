-- Which messages a topic has stands in a table of its own, written for many of them at once (ADR 43). Up to the mark no
-- message is missing in it; one behind the mark may be.
CREATE TABLE topic_message (
    project_id TEXT NOT NULL,
    topic_name TEXT NOT NULL,
    id         TEXT NOT NULL,
    PRIMARY KEY (project_id, topic_name, id)
) WITHOUT ROWID;
INSERT INTO topic_message (project_id, topic_name, id)
SELECT project_id, topic_name, id FROM message ORDER BY project_id, topic_name, id;

-- One row.
CREATE TABLE topic_mark (
    id   INTEGER PRIMARY KEY,
    upto TEXT NOT NULL
);
INSERT INTO topic_mark (id, upto) SELECT 1, coalesce(max(id), '') FROM message;
DROP INDEX message_topic;
