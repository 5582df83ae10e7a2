-- The ledger. Entries, their charges and their holds are only ever added; all other tables are folds of them
-- (checked by `octroi ledger verify`) or names stored once.
--
-- An amount in an entry is a whole number of 10^-12 of its currency: an INTEGER, or TEXT beyond 2^63 (hence
-- ANY). A sum is two integers, whole units of the currency and the rest (0 <= picos < 10^12), so that it stays
-- exact beyond 2^63.

-- Names stored once -----------------------------------------------------------------------------------------

CREATE TABLE names (
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,   -- owner, service, price, limit, book
  name TEXT NOT NULL,   -- a JSON array of the parts
  UNIQUE (kind, name)
) STRICT;

-- Entries ---------------------------------------------------------------------------------------------------

CREATE TABLE entries (
  sequence INTEGER PRIMARY KEY,
  kind TEXT NOT NULL CHECK (kind IN ('reserved', 'settled', 'released', 'expired', 'adjusted')),
  call_id TEXT NOT NULL,
  at INTEGER NOT NULL,              -- milliseconds since 1970
  owner INTEGER REFERENCES names,   -- reserved: organization, team, project, environment, key
  service INTEGER REFERENCES names, -- reserved: provider, model as asked, endpoint, currency; ended: as served
  end_user TEXT,
  conversation TEXT,
  tags TEXT,                        -- JSON
  most ANY,
  lease_until INTEGER,
  corrects INTEGER REFERENCES entries,
  tier TEXT,
  basis TEXT,
  status INTEGER,
  note TEXT,                        -- also the reason of a release
  book INTEGER REFERENCES names,
  unpriced TEXT,                    -- JSON, null when everything was priced
  resent_tokens INTEGER,
  resent_amount ANY,
  resent_exact INTEGER
) STRICT;
CREATE INDEX entries_of_call ON entries (call_id);
CREATE INDEX corrections ON entries (corrects) WHERE corrects IS NOT NULL;

CREATE TABLE charges (
  entry INTEGER NOT NULL REFERENCES entries,
  position INTEGER NOT NULL,
  price INTEGER NOT NULL REFERENCES names, -- price row, meter, unit price, per, source
  quantity TEXT NOT NULL,                  -- "1250" or "61/3"
  amount ANY NOT NULL,
  exact TEXT,                              -- only where it is not quantity x unit price / per
  PRIMARY KEY (entry, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE holds (
  entry INTEGER NOT NULL REFERENCES entries,
  position INTEGER NOT NULL,
  "limit" INTEGER NOT NULL REFERENCES names,
  window_start INTEGER NOT NULL,
  amount ANY NOT NULL,
  PRIMARY KEY (entry, position)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER entries_stay BEFORE UPDATE ON entries BEGIN SELECT RAISE(ABORT, 'entries are append-only'); END;
CREATE TRIGGER entries_remain BEFORE DELETE ON entries BEGIN SELECT RAISE(ABORT, 'entries are append-only'); END;
CREATE TRIGGER charges_stay BEFORE UPDATE ON charges BEGIN SELECT RAISE(ABORT, 'charges are append-only'); END;
CREATE TRIGGER charges_remain BEFORE DELETE ON charges BEGIN SELECT RAISE(ABORT, 'charges are append-only'); END;
CREATE TRIGGER holds_stay BEFORE UPDATE ON holds BEGIN SELECT RAISE(ABORT, 'holds are append-only'); END;
CREATE TRIGGER holds_remain BEFORE DELETE ON holds BEGIN SELECT RAISE(ABORT, 'holds are append-only'); END;

-- An id that came a second time with another content. The first stands; this is what was refused.
CREATE TABLE conflicts (
  call_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  content TEXT NOT NULL, -- JSON
  PRIMARY KEY (call_id, kind, content)
) STRICT, WITHOUT ROWID;

-- Folds -----------------------------------------------------------------------------------------------------

-- Reservations that have not ended, with their leases.
CREATE TABLE open_reservations (
  call_id TEXT PRIMARY KEY,
  entry INTEGER NOT NULL REFERENCES entries,
  lease_until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE balances (
  "limit" INTEGER NOT NULL REFERENCES names,
  window_start INTEGER NOT NULL,
  settled_units INTEGER NOT NULL,
  settled_picos INTEGER NOT NULL,
  held_units INTEGER NOT NULL,
  held_picos INTEGER NOT NULL,
  unresolved_units INTEGER NOT NULL,
  unresolved_picos INTEGER NOT NULL,
  PRIMARY KEY ("limit", window_start)
) STRICT, WITHOUT ROWID;

-- What was used by the hour in which the call was made, in UTC. What has no price is there with the amount 0.
CREATE TABLE charge_hours (
  hour INTEGER NOT NULL, -- milliseconds since 1970, a multiple of 3,600,000
  owner INTEGER NOT NULL REFERENCES names,
  service INTEGER NOT NULL REFERENCES names,
  meter TEXT NOT NULL,
  basis TEXT NOT NULL,
  priced INTEGER NOT NULL,
  quantity ANY NOT NULL, -- INTEGER, or TEXT for a meter that is not counted in whole units
  units INTEGER NOT NULL,
  picos INTEGER NOT NULL,
  PRIMARY KEY (hour, owner, service, meter, basis, priced)
) STRICT, WITHOUT ROWID;

-- Calls whose cost is known, by the same hour.
CREATE TABLE call_hours (
  hour INTEGER NOT NULL,
  owner INTEGER NOT NULL REFERENCES names,
  service INTEGER NOT NULL REFERENCES names,
  basis TEXT NOT NULL,
  calls INTEGER NOT NULL,
  unpriced INTEGER NOT NULL, -- calls of which something had no price
  resent_tokens INTEGER NOT NULL,
  resent_units INTEGER NOT NULL,
  resent_picos INTEGER NOT NULL,
  PRIMARY KEY (hour, owner, service, basis)
) STRICT, WITHOUT ROWID;
