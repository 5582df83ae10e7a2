-- Keys: only a keyed hash of the secret is kept. Objects: who owns what at the vendor, never its content.
CREATE TABLE registry_key (
  id TEXT PRIMARY KEY,
  hash TEXT NOT NULL UNIQUE,
  name TEXT,
  organization TEXT,
  team TEXT,
  project TEXT,
  environment TEXT,
  created_at INTEGER NOT NULL,
  revoked_at INTEGER
) STRICT;

CREATE TABLE registry_object (
  upstream TEXT NOT NULL,
  kind TEXT NOT NULL,
  id TEXT NOT NULL,
  owner TEXT,
  parent TEXT,
  model TEXT,
  tokens_most INTEGER,
  tools INTEGER NOT NULL,
  call_id TEXT,
  PRIMARY KEY (upstream, kind, id)
) STRICT, WITHOUT ROWID;
