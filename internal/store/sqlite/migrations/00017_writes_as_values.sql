-- +goose Up

-- What a write was decided on must hold when it is committed: a row that is read,
-- changed and stored again has a number that counts how often it was.
ALTER TABLE runs ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;
ALTER TABLE endpoint_health ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;

-- version counts the changes of a tenant's endpoints. Who gets an event is decided
-- before it is stored, and holds as long as they are of the same version.
CREATE TABLE endpoint_sets (
    tenant  TEXT NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (tenant)
) STRICT, WITHOUT ROWID;
