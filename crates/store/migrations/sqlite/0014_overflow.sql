-- What becomes of a subscription's messages when too many wait: 0 digest, 1 queue, 2 the oldest are dropped.
ALTER TABLE subscription ADD COLUMN overflow INTEGER NOT NULL DEFAULT 0;

-- Why a delivery ended that neither a person nor its attempts ended, as a word.
ALTER TABLE delivery ADD COLUMN cause TEXT;
