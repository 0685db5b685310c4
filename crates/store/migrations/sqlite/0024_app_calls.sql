-- How many calls of an app, or of a project's robots, a platform has counted in a month. `scope` is a keyed hash of what
-- is counted; `month` is the year times twelve and the months before it in its year, in China's time.
CREATE TABLE app_calls (
    scope TEXT NOT NULL,
    month INTEGER NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (scope, month)
) WITHOUT ROWID;

-- How many calls a month somebody allows; a negative number is no limit. Without a row it is the platform's.
CREATE TABLE app_limit (
    scope TEXT PRIMARY KEY,
    calls INTEGER NOT NULL
) WITHOUT ROWID;

-- Who is told what concerns a connection, as a subscription's `fallback`; and what they were told last of its month:
-- the day times four, and how near its limit it came then.
ALTER TABLE connection ADD COLUMN notices TEXT;
ALTER TABLE connection ADD COLUMN told INTEGER NOT NULL DEFAULT 0;
