-- +goose Up

-- Somebody who signed in with a key. Only the hash of the session's token is kept.
CREATE TABLE sessions (
    hash    BLOB NOT NULL PRIMARY KEY,
    tenant  TEXT NOT NULL,
    key_id  TEXT NOT NULL,
    created INTEGER NOT NULL,
    expires INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- A key has a bounded number of them: the oldest go first.
CREATE INDEX sessions_key ON sessions (tenant, key_id, created);

CREATE INDEX sessions_expires ON sessions (tenant, expires);
