-- Seals: days (UTC) whose entries are also in a columnar file, and what was removed behind them.

CREATE TABLE seals (
  day INTEGER PRIMARY KEY,        -- days since 1970
  file TEXT NOT NULL,             -- its name in the folder of sealed days
  sha256 TEXT NOT NULL,
  content TEXT NOT NULL,          -- SHA-256 of what its rows say
  bytes INTEGER NOT NULL,
  last_sequence INTEGER NOT NULL, -- what was written later is not in the file
  calls INTEGER NOT NULL,
  entries INTEGER NOT NULL,
  charges INTEGER NOT NULL,
  sums TEXT NOT NULL,             -- JSON: what the charges of all entries come to, by currency
  at INTEGER NOT NULL,
  is_pruned INTEGER NOT NULL DEFAULT 0, -- 1: some of its calls were removed from the entries
  dropped_at INTEGER              -- when its file was given up
) STRICT;

-- What removed entries came to, folded; removed with a plus, put back with a minus.
CREATE TABLE checkpoints (
  id INTEGER PRIMARY KEY,
  day INTEGER NOT NULL REFERENCES seals,
  sign INTEGER NOT NULL CHECK (sign IN (1, -1)),
  entries INTEGER NOT NULL,
  calls INTEGER NOT NULL,
  fold BLOB NOT NULL -- deflated JSON
) STRICT;
CREATE INDEX checkpoints_of_day ON checkpoints (day);

-- Of an expression that no other statement has, so that none but those that read a day go by them.
CREATE INDEX calls_of_day ON entries (at / 86400000) WHERE kind = 'reserved';
CREATE INDEX posts_of_day ON entries (from_at / 86400000) WHERE kind IN ('accrued', 'imported');

CREATE TRIGGER seals_remain BEFORE DELETE ON seals BEGIN SELECT RAISE(ABORT, 'a day stays sealed'); END;
-- A day whose calls were corrected may be written anew, with no less in it.
CREATE TRIGGER seals_stay BEFORE UPDATE OF day, file, sha256, content, bytes, last_sequence, calls, entries, charges, sums, at ON seals
WHEN NEW.day <> OLD.day OR NEW.last_sequence <= OLD.last_sequence OR NEW.entries < OLD.entries OR NEW.calls < OLD.calls
BEGIN SELECT RAISE(ABORT, 'a day stays sealed'); END;

-- Entries of calls of a sealed day may go, as far as its file has them.
DROP TRIGGER entries_remain;
DROP TRIGGER charges_remain;
DROP TRIGGER holds_remain;
CREATE TRIGGER entries_remain BEFORE DELETE ON entries WHEN NOT EXISTS (
  SELECT 1 FROM entries r JOIN seals s ON s.day = r.at / 86400000
  WHERE r.call_id = OLD.call_id AND r.kind = 'reserved' AND s.last_sequence >= OLD.sequence AND s.dropped_at IS NULL
) BEGIN SELECT RAISE(ABORT, 'entries are append-only'); END;
CREATE TRIGGER charges_remain BEFORE DELETE ON charges WHEN EXISTS (
  SELECT 1 FROM entries WHERE sequence = OLD.entry
) BEGIN SELECT RAISE(ABORT, 'charges are append-only'); END;
CREATE TRIGGER holds_remain BEFORE DELETE ON holds WHEN EXISTS (
  SELECT 1 FROM entries WHERE sequence = OLD.entry
) BEGIN SELECT RAISE(ABORT, 'holds are append-only'); END;
