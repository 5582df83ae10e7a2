-- Sums of sealed days: small files beside those of the days, that answer who spent most without reading every call. They
-- speed reports up and nothing else: what is not in them is read from the days, and they can be made again at any time.

CREATE TABLE sealed_sums (
  name TEXT NOT NULL,             -- end-users, tags or conversations: what they are by
  day INTEGER NOT NULL,           -- the first day, in days since 1970
  days INTEGER NOT NULL,          -- how many days they are of
  made_of TEXT NOT NULL,          -- SHA-256 of the hashes of those days' files, as they were then
  file TEXT,                      -- in the folder of sealed days; null where sums are hardly fewer than calls
  sha256 TEXT,
  bytes INTEGER NOT NULL,
  rows INTEGER NOT NULL,
  parts TEXT NOT NULL,            -- JSON: what can be grouped by and chosen by
  without TEXT NOT NULL,          -- JSON: names of tags with too many values
  has_meters INTEGER NOT NULL,
  PRIMARY KEY (name, day, days)
) STRICT, WITHOUT ROWID;
