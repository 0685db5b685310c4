-- A page of what one account published, and of one account's lines, one deed's, and both at once in
-- the audit log, whatever others there are.
CREATE INDEX message_account ON message (project_id, account_id, id);
CREATE INDEX audit_account ON audit (project_id, account_name, id);
CREATE INDEX audit_account_deed ON audit (project_id, account_name, deed, id);
CREATE INDEX audit_deed ON audit (project_id, deed, id);
