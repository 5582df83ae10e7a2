-- Runs and jobs that are asked after with the credential of the configuration, so that a gateway that starts again
-- goes on.
CREATE TABLE registry_watch (
  upstream TEXT NOT NULL,
  path TEXT NOT NULL,
  thread TEXT,
  call_id TEXT NOT NULL,
  beta TEXT,
  answer_most INTEGER,
  PRIMARY KEY (upstream, path)
) STRICT, WITHOUT ROWID;

-- What holders keep at the vendor, and because of what: it is kept until the last source is gone.
CREATE TABLE registry_kept (
  upstream TEXT NOT NULL,
  meter TEXT NOT NULL,
  holder TEXT NOT NULL,
  object TEXT NOT NULL,
  source TEXT NOT NULL,
  PRIMARY KEY (upstream, meter, holder, object, source)
) STRICT, WITHOUT ROWID;
CREATE INDEX registry_kept_object ON registry_kept (upstream, object);
CREATE INDEX registry_kept_source ON registry_kept (upstream, source);
