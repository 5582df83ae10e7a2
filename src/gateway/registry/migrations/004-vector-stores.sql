-- Vector stores in the order in which they were seen: how large each is, when it ends, and whom it is billed to.
CREATE TABLE registry_vector_store (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  upstream TEXT NOT NULL,
  id TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  ends_at INTEGER,
  prices_from TEXT NOT NULL,
  endpoint TEXT NOT NULL,
  owner TEXT NOT NULL,
  UNIQUE (upstream, id)
) STRICT;
