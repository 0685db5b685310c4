-- A member who is gone and is another one now, as somebody said: whatever names the first reaches the second.
ALTER TABLE office_recipient ADD COLUMN merged_into TEXT;
CREATE INDEX office_recipient_name ON office_recipient (connection_id, name);

-- Which member a mail address or a phone number belongs to. Of the contact only a keyed hash is kept. `previous_id` is
-- whom it belonged to before.
CREATE TABLE office_contact (
    connection_id TEXT NOT NULL REFERENCES connection (id),
    hash          BLOB NOT NULL,
    recipient_id  TEXT NOT NULL,
    previous_id   TEXT,
    bound_at      INTEGER NOT NULL,
    PRIMARY KEY (connection_id, hash)
);
CREATE INDEX office_contact_previous ON office_contact (previous_id);
