-- +goose Up

-- Who asked for a change, in the change's own transaction. entry is the whole of it;
-- the other columns are what lists go by.
CREATE TABLE audit (
    tenant  TEXT NOT NULL,
    at      INTEGER NOT NULL,
    id      TEXT NOT NULL,
    key_id  TEXT NOT NULL,
    action  TEXT NOT NULL,
    kind    TEXT NOT NULL,
    target  TEXT NOT NULL,
    request TEXT NOT NULL,
    entry   TEXT NOT NULL,
    PRIMARY KEY (tenant, at, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX audit_key ON audit (tenant, key_id, at, id) WHERE key_id <> '';

CREATE INDEX audit_target ON audit (tenant, target, at, id) WHERE target <> '';

CREATE INDEX audit_request ON audit (tenant, request, at, id) WHERE request <> '';
