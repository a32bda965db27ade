/** Number of the layout of our own tables; a file with a higher one is from a newer release. */
export const FORMAT = 2;

/**
 * The framework's own tables, beside those of the resources. What grows with every request has a
 * number of its own as key, so that rows are appended; only what must be found has an index.
 */
export const ownTables = `
CREATE TABLE IF NOT EXISTS posthaste_meta (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS posthaste_keys (
  number INTEGER PRIMARY KEY,
  digest TEXT NOT NULL UNIQUE,
  fingerprint TEXT NOT NULL,
  status INTEGER NOT NULL,
  headers TEXT NOT NULL,
  body TEXT,
  problem TEXT,
  recorded_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS posthaste_keys_expiry ON posthaste_keys (expires_at);

CREATE TABLE IF NOT EXISTS posthaste_jobs (
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL,
  input TEXT NOT NULL,
  state TEXT NOT NULL,
  priority INTEGER NOT NULL,
  run_at INTEGER NOT NULL,
  attempt INTEGER NOT NULL DEFAULT 0,
  worker TEXT,
  unique_key TEXT,
  owner TEXT,
  operation TEXT,
  progress TEXT,
  result TEXT,
  error TEXT,
  failure TEXT,
  cancelling INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL,
  started_at INTEGER,
  finished_at INTEGER,
  expires_at INTEGER
) STRICT;
CREATE INDEX IF NOT EXISTS posthaste_jobs_ready
  ON posthaste_jobs (kind, priority DESC, number) WHERE state = 'ready';
CREATE INDEX IF NOT EXISTS posthaste_jobs_scheduled
  ON posthaste_jobs (run_at) WHERE state = 'scheduled';
CREATE INDEX IF NOT EXISTS posthaste_jobs_running
  ON posthaste_jobs (worker) WHERE state = 'running';
CREATE UNIQUE INDEX IF NOT EXISTS posthaste_jobs_unique
  ON posthaste_jobs (kind, unique_key)
  WHERE unique_key IS NOT NULL AND state IN ('ready', 'scheduled', 'running');
CREATE INDEX IF NOT EXISTS posthaste_jobs_expiry
  ON posthaste_jobs (expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE IF NOT EXISTS posthaste_steps (
  job INTEGER NOT NULL REFERENCES posthaste_jobs (number) ON DELETE CASCADE,
  name TEXT NOT NULL,
  result TEXT,
  wake_at INTEGER,
  done_at INTEGER NOT NULL,
  PRIMARY KEY (job, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS posthaste_workers (
  instance TEXT PRIMARY KEY,
  beat INTEGER NOT NULL
) STRICT;
`;
