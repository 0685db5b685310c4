-- Which messages a topic has. Here an index of the messages themselves says it (`message_topic`, ADR 43); in a file, a table
-- beside them.
CREATE VIEW topic_message AS SELECT project_id, topic_name, id FROM message;
