-- Rollups: the hourly folds of days that are over, summed further, so that a report of a year need not read every hour of
-- every key. A row keeps only those parts of an owner or a service by which its rollup sums; the others are null in its
-- name. Written in small steps after a day was sealed; what later changes what is in them changes its rollups in the same
-- commit.

CREATE TABLE charge_rollups (
  rollup TEXT NOT NULL,            -- which: src/ledger/rollup.ts lists them
  owner INTEGER NOT NULL REFERENCES names,
  time INTEGER NOT NULL,           -- milliseconds since 1970: the start of the day or hour
  service INTEGER NOT NULL REFERENCES names,
  meter TEXT NOT NULL,
  basis TEXT NOT NULL,
  priced INTEGER NOT NULL,
  quantity ANY NOT NULL,           -- INTEGER, or TEXT where it is not whole
  units INTEGER NOT NULL,
  picos INTEGER NOT NULL,
  parts INTEGER NOT NULL,          -- rows of charge_hours that it sums
  PRIMARY KEY (rollup, owner, time, service, meter, basis, priced)
) STRICT, WITHOUT ROWID;

CREATE TABLE call_rollups (
  rollup TEXT NOT NULL,
  owner INTEGER NOT NULL REFERENCES names,
  time INTEGER NOT NULL,
  service INTEGER NOT NULL REFERENCES names,
  basis TEXT NOT NULL,
  calls INTEGER NOT NULL,
  unpriced INTEGER NOT NULL,
  resent_tokens INTEGER NOT NULL,
  resent_units INTEGER NOT NULL,
  resent_picos INTEGER NOT NULL,
  parts INTEGER NOT NULL,          -- rows of call_hours that it sums
  PRIMARY KEY (rollup, owner, time, service, basis)
) STRICT, WITHOUT ROWID;

-- How far days are in the rollups: the hours before `hour` (0 to 24), and of that hour the owners up to and with `owner`.
CREATE TABLE rolled_days (
  day INTEGER PRIMARY KEY,         -- days since 1970
  hour INTEGER NOT NULL,
  owner INTEGER NOT NULL
) STRICT;
