-- What was told of limits, each once, and whom it is still to reach.
CREATE TABLE registry_alert (
  id TEXT PRIMARY KEY,        -- the same for the same crossing, whoever sees it again
  type TEXT NOT NULL,
  body TEXT NOT NULL,         -- the JSON that is sent
  at INTEGER NOT NULL         -- milliseconds since 1970
) STRICT, WITHOUT ROWID;

CREATE TABLE registry_alert_delivery (
  alert TEXT NOT NULL REFERENCES registry_alert,
  receiver TEXT NOT NULL,     -- the address of a webhook
  state TEXT NOT NULL CHECK (state IN ('pending', 'sent', 'given up')),
  attempts INTEGER NOT NULL,
  next_at INTEGER NOT NULL,   -- when it is tried again
  said TEXT,                  -- why the last attempt failed
  PRIMARY KEY (alert, receiver)
) STRICT, WITHOUT ROWID;
CREATE INDEX registry_alert_due ON registry_alert_delivery (receiver, next_at) WHERE state = 'pending';
