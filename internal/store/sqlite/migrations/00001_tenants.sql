-- +goose Up

-- What the database says about itself, of no tenant: the salt of the encryption
-- key and a value sealed with it.
CREATE TABLE meta (
    name  TEXT NOT NULL PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Times are Unix microseconds in every table.
CREATE TABLE tenants (
    tenant  TEXT NOT NULL PRIMARY KEY,
    created INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE api_keys (
    tenant  TEXT NOT NULL,
    id      TEXT NOT NULL,
    role    TEXT NOT NULL,
    name    TEXT NOT NULL,
    hash    BLOB NOT NULL,
    created INTEGER NOT NULL,
    PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;

-- A request brings a key before it has a tenant.
CREATE UNIQUE INDEX api_keys_hash ON api_keys (hash);

-- doc is the whole document, its secrets sealed.
CREATE TABLE settings (
    tenant  TEXT NOT NULL,
    version INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    by      TEXT NOT NULL,
    doc     TEXT NOT NULL,
    PRIMARY KEY (tenant, version)
) STRICT;

CREATE TABLE idempotency (
    tenant   TEXT NOT NULL,
    key      TEXT NOT NULL,
    hash     BLOB NOT NULL,
    resource TEXT NOT NULL,
    created  INTEGER NOT NULL,
    PRIMARY KEY (tenant, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX idempotency_created ON idempotency (tenant, created);
