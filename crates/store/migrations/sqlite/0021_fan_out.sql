-- Messages that were accepted, and whose deliveries are written down afterwards: those to many, and whatever was accepted
-- while one of them waited. `list_id` names the list of those it goes to, or `recipients` holds them, when they are few.
CREATE TABLE fan_out (
    seq           INTEGER PRIMARY KEY AUTOINCREMENT,
    message_id    TEXT NOT NULL UNIQUE,
    list_id       INTEGER,
    recipients    BLOB,
    portions_done INTEGER NOT NULL,
    placed        INTEGER NOT NULL
);

-- A list of recipients. One that is all of a topic names it, stays for the next message, and is found again by its hash.
CREATE TABLE recipient_list (
    seq      INTEGER PRIMARY KEY AUTOINCREMENT,
    topic_id TEXT UNIQUE,
    hash     BLOB,
    portions INTEGER NOT NULL
);
CREATE TABLE recipient_list_portion (
    list_id    INTEGER NOT NULL,
    number     INTEGER NOT NULL,
    recipients BLOB NOT NULL,
    PRIMARY KEY (list_id, number)
);
