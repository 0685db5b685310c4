-- Who and what a reading found gone although subscriptions or groups name it, as JSON; and that nobody was told yet.
ALTER TABLE office_run ADD COLUMN missed TEXT;
ALTER TABLE office_run ADD COLUMN untold INTEGER NOT NULL DEFAULT 0;
CREATE INDEX office_run_untold ON office_run (untold) WHERE untold = 1;
