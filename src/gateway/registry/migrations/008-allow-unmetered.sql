-- Whether a key may use paths that are not metered.
ALTER TABLE registry_key ADD COLUMN allow_unmetered INTEGER NOT NULL DEFAULT 0;
