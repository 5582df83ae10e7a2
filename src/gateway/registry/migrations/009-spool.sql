-- How much of a key may wait while the ledger cannot be written, in USD; null: its calls are refused then.
ALTER TABLE registry_key ADD COLUMN spool TEXT;
