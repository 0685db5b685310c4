-- A page of one topic's messages, and of one thing's lines in the audit log, whatever others there are.
CREATE INDEX message_topic ON message (project_id, topic_name, id);
CREATE INDEX audit_what ON audit (project_id, what, id);
