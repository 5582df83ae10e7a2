-- Vendors' keys, sealed with a key that is not in this file.
CREATE TABLE registry_provider_key (
  upstream TEXT PRIMARY KEY,
  nonce BLOB NOT NULL,
  sealed BLOB NOT NULL,    -- AES-256-GCM, its tag at the end; the upstream's name is bound to it
  set_at INTEGER NOT NULL  -- milliseconds since 1970
) STRICT, WITHOUT ROWID;
