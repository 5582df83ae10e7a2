-- The pseudonym of each end user by a keyed hash of the name: made by chance, so that without its row nobody can find
-- it from the name again.
CREATE TABLE registry_end_user (
  hash TEXT PRIMARY KEY,
  pseudonym TEXT NOT NULL UNIQUE
) STRICT, WITHOUT ROWID;
