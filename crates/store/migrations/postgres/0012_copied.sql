-- That another installation was, or is being, copied into this database. Without an end it is not whole, and is not served.
CREATE TABLE copied (
    source     TEXT COLLATE "C" PRIMARY KEY,
    started_at BIGINT NOT NULL,
    ended_at   BIGINT
);
