-- Accruals: entries of the kind `accrued`, and what they are posted from.

-- The table of entries is made anew, since its kinds are part of it; what refers to it is made anew with it.

CREATE TABLE entries_2 (
  sequence INTEGER PRIMARY KEY,
  kind TEXT NOT NULL CHECK (kind IN ('reserved', 'settled', 'released', 'expired', 'adjusted', 'accrued')),
  call_id TEXT NOT NULL,            -- accrued: the id of the accrual
  at INTEGER NOT NULL,              -- milliseconds since 1970
  owner INTEGER REFERENCES names,   -- reserved, accrued: organization, team, project, environment, key
  service INTEGER REFERENCES names, -- reserved: provider, model as asked, endpoint, currency; ended: as served
  end_user TEXT,
  conversation TEXT,
  tags TEXT,                        -- JSON
  most ANY,
  lease_until INTEGER,
  corrects INTEGER REFERENCES entries_2,
  tier TEXT,
  basis TEXT,
  status INTEGER,
  note TEXT,                        -- also the reason of a release
  book INTEGER REFERENCES names,
  unpriced TEXT,                    -- JSON, null when everything was priced
  resent_tokens INTEGER,
  resent_amount ANY,
  resent_exact INTEGER,
  from_at INTEGER,                  -- accrued: the stretch of time it is for, half-open
  to_at INTEGER,
  holder TEXT,
  object TEXT,
  list ANY                          -- accrued: the amount without promotions
) STRICT;
INSERT INTO entries_2 SELECT *, NULL, NULL, NULL, NULL, NULL FROM entries ORDER BY sequence;

CREATE TABLE charges_2 (
  entry INTEGER NOT NULL REFERENCES entries_2,
  position INTEGER NOT NULL,
  price INTEGER NOT NULL REFERENCES names, -- price row, meter, unit price, per, source
  quantity TEXT NOT NULL,                  -- "1250" or "61/3"
  amount ANY NOT NULL,
  exact TEXT,                              -- only where it is not quantity x unit price / per
  PRIMARY KEY (entry, position)
) STRICT, WITHOUT ROWID;
INSERT INTO charges_2 SELECT * FROM charges;

CREATE TABLE holds_2 (
  entry INTEGER NOT NULL REFERENCES entries_2,
  position INTEGER NOT NULL,
  "limit" INTEGER NOT NULL REFERENCES names,
  window_start INTEGER NOT NULL,
  amount ANY NOT NULL, -- reserved: held; settled, adjusted: left unresolved; accrued: settled
  PRIMARY KEY (entry, position)
) STRICT, WITHOUT ROWID;
INSERT INTO holds_2 SELECT * FROM holds;

CREATE TABLE open_reservations_2 (
  call_id TEXT PRIMARY KEY,
  entry INTEGER NOT NULL REFERENCES entries_2,
  lease_until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO open_reservations_2 SELECT * FROM open_reservations;

DROP TABLE open_reservations;
DROP TABLE holds;
DROP TABLE charges;
DROP TABLE entries;
ALTER TABLE entries_2 RENAME TO entries;
ALTER TABLE charges_2 RENAME TO charges;
ALTER TABLE holds_2 RENAME TO holds;
ALTER TABLE open_reservations_2 RENAME TO open_reservations;

CREATE INDEX entries_of_call ON entries (call_id);
CREATE INDEX corrections ON entries (corrects) WHERE corrects IS NOT NULL;
CREATE INDEX accrued_entries ON entries (kind) WHERE kind = 'accrued';

CREATE TRIGGER entries_stay BEFORE UPDATE ON entries BEGIN SELECT RAISE(ABORT, 'entries are append-only'); END;
CREATE TRIGGER entries_remain BEFORE DELETE ON entries BEGIN SELECT RAISE(ABORT, 'entries are append-only'); END;
CREATE TRIGGER charges_stay BEFORE UPDATE ON charges BEGIN SELECT RAISE(ABORT, 'charges are append-only'); END;
CREATE TRIGGER charges_remain BEFORE DELETE ON charges BEGIN SELECT RAISE(ABORT, 'charges are append-only'); END;
CREATE TRIGGER holds_stay BEFORE UPDATE ON holds BEGIN SELECT RAISE(ABORT, 'holds are append-only'); END;
CREATE TRIGGER holds_remain BEFORE DELETE ON holds BEGIN SELECT RAISE(ABORT, 'holds are append-only'); END;

-- What entries are posted from ------------------------------------------------------------------------------

-- Sessions are posted whole when they open.
CREATE TABLE sessions (
  id INTEGER PRIMARY KEY,
  upstream TEXT NOT NULL,
  meter TEXT NOT NULL,
  holder TEXT NOT NULL,
  from_at INTEGER NOT NULL,
  to_at INTEGER NOT NULL
) STRICT;
CREATE INDEX sessions_of_holder ON sessions (upstream, meter, holder, to_at);
CREATE INDEX sessions_by_end ON sessions (to_at);

-- Uses of a tool and the sessions they fell into, so that one told twice counts once.
CREATE TABLE session_uses (
  upstream TEXT NOT NULL,
  use TEXT NOT NULL,
  session INTEGER NOT NULL REFERENCES sessions,
  PRIMARY KEY (upstream, use)
) STRICT, WITHOUT ROWID;

-- Objects that are or were kept, and how far they are posted. `exact` and `posted` are what they came to so far.
CREATE TABLE stays (
  id INTEGER PRIMARY KEY,
  upstream TEXT NOT NULL,
  prices_from TEXT NOT NULL,
  endpoint TEXT NOT NULL,
  meter TEXT NOT NULL,
  holder TEXT NOT NULL,
  object TEXT NOT NULL,
  amount INTEGER NOT NULL, -- bytes or tokens
  from_at INTEGER NOT NULL,
  to_at INTEGER,           -- null while it is kept
  closed_until INTEGER NOT NULL,
  owner INTEGER NOT NULL REFERENCES names,
  end_user TEXT,
  tags TEXT,               -- JSON
  attributes TEXT,         -- JSON
  exact TEXT NOT NULL,     -- "61/3"
  posted ANY NOT NULL,
  list_exact TEXT NOT NULL,
  list_posted ANY NOT NULL
) STRICT;
CREATE INDEX stays_of_object ON stays (upstream, object, holder, meter);
CREATE INDEX stays_of_holder ON stays (upstream, holder) WHERE to_at IS NULL;
CREATE INDEX stays_due ON stays (closed_until) WHERE to_at IS NULL OR closed_until < to_at;
