-- Imports: entries of the kind `imported`, lines of what vendors report; of the kind `closed`, periods of their bills that
-- are closed; and how attempts went.

-- The table of entries is made anew, since its kinds are part of it; what refers to it is made anew with it.

CREATE TABLE entries_4 (
  sequence INTEGER PRIMARY KEY,
  kind TEXT NOT NULL CHECK (
    kind IN ('reserved', 'settled', 'released', 'expired', 'adjusted', 'accrued', 'imported', 'closed')
  ),
  call_id TEXT NOT NULL,            -- accrued: the id of the accrual; imported: of the line; closed: empty
  at INTEGER NOT NULL,              -- milliseconds since 1970
  owner INTEGER REFERENCES names,   -- reserved, accrued, imported: organization, team, project, environment, key
  service INTEGER REFERENCES names, -- provider, model, endpoint, currency; reserved: as asked; ended: as served
  end_user TEXT,
  conversation TEXT,
  tags TEXT,                        -- JSON
  most ANY,
  lease_until INTEGER,
  corrects INTEGER REFERENCES entries_4,
  tier TEXT,
  basis TEXT,
  status INTEGER,
  note TEXT,                        -- also the reason of a release
  book INTEGER REFERENCES names,
  unpriced TEXT,                    -- JSON, null when everything was priced
  resent_tokens INTEGER,
  resent_amount ANY,
  resent_exact INTEGER,
  from_at INTEGER,                  -- accrued, imported, closed: the time it is for, half-open
  to_at INTEGER,
  holder TEXT,
  object TEXT,
  list ANY,                         -- accrued: the amount without promotions
  used TEXT,                        -- settled, adjusted: JSON of how much of each measure the call used
  source INTEGER REFERENCES names,  -- imported: importer, account, role, provider
  evidence TEXT,                    -- JSON; imported: what the vendor reports; closed: provider and totals
  calls INTEGER,                    -- imported: how many are posted with it
  duration_ms INTEGER,              -- settled, adjusted, released: the attempt
  first_byte_ms INTEGER,
  retry INTEGER
) STRICT;
INSERT INTO entries_4 SELECT *, NULL, NULL, NULL, NULL, NULL, NULL FROM entries ORDER BY sequence;

CREATE TABLE charges_4 (
  entry INTEGER NOT NULL REFERENCES entries_4,
  position INTEGER NOT NULL,
  price INTEGER NOT NULL REFERENCES names, -- price row, meter, unit price, per, source
  quantity TEXT NOT NULL,                  -- "1250" or "61/3"
  amount ANY NOT NULL,
  exact TEXT,                              -- only where it is not quantity x unit price / per
  PRIMARY KEY (entry, position)
) STRICT, WITHOUT ROWID;
INSERT INTO charges_4 SELECT * FROM charges;

CREATE TABLE holds_4 (
  entry INTEGER NOT NULL REFERENCES entries_4,
  position INTEGER NOT NULL,
  "limit" INTEGER NOT NULL REFERENCES names,
  window_start INTEGER NOT NULL,
  amount ANY NOT NULL, -- reserved: held; settled, adjusted: left unresolved; accrued: settled
  PRIMARY KEY (entry, position)
) STRICT, WITHOUT ROWID;
INSERT INTO holds_4 SELECT * FROM holds;

CREATE TABLE open_reservations_4 (
  call_id TEXT PRIMARY KEY,
  entry INTEGER NOT NULL REFERENCES entries_4,
  lease_until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO open_reservations_4 SELECT * FROM open_reservations;

DROP TABLE open_reservations;
DROP TABLE holds;
DROP TABLE charges;
DROP TABLE entries;
ALTER TABLE entries_4 RENAME TO entries;
ALTER TABLE charges_4 RENAME TO charges;
ALTER TABLE holds_4 RENAME TO holds;
ALTER TABLE open_reservations_4 RENAME TO open_reservations;

CREATE INDEX entries_of_call ON entries (call_id);
CREATE INDEX corrections ON entries (corrects) WHERE corrects IS NOT NULL;
CREATE INDEX accrued_entries ON entries (kind) WHERE kind = 'accrued';
CREATE INDEX imported_entries ON entries (from_at) WHERE kind = 'imported';
CREATE INDEX closed_entries ON entries (kind) WHERE kind = 'closed';

CREATE TRIGGER entries_stay BEFORE UPDATE ON entries BEGIN SELECT RAISE(ABORT, 'entries are append-only'); END;
CREATE TRIGGER entries_remain BEFORE DELETE ON entries BEGIN SELECT RAISE(ABORT, 'entries are append-only'); END;
CREATE TRIGGER charges_stay BEFORE UPDATE ON charges BEGIN SELECT RAISE(ABORT, 'charges are append-only'); END;
CREATE TRIGGER charges_remain BEFORE DELETE ON charges BEGIN SELECT RAISE(ABORT, 'charges are append-only'); END;
CREATE TRIGGER holds_stay BEFORE UPDATE ON holds BEGIN SELECT RAISE(ABORT, 'holds are append-only'); END;
CREATE TRIGGER holds_remain BEFORE DELETE ON holds BEGIN SELECT RAISE(ABORT, 'holds are append-only'); END;
