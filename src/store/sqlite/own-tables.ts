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
`;
