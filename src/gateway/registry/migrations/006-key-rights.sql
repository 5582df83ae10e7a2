-- What a key may do, until when, and the tags of its calls. Patterns and tags are JSON; no patterns: everything.
ALTER TABLE registry_key ADD COLUMN models TEXT;
ALTER TABLE registry_key ADD COLUMN endpoints TEXT;
ALTER TABLE registry_key ADD COLUMN expires_at INTEGER;
ALTER TABLE registry_key ADD COLUMN tags TEXT NOT NULL DEFAULT '{}';

-- The secrets that a key had before it was rotated, and until when each still opens.
CREATE TABLE registry_key_former (
  hash TEXT PRIMARY KEY,
  key TEXT NOT NULL,
  valid_until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
